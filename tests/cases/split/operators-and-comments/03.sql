SELECT a@-- three;
 b
