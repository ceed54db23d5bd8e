SELECT 1 +-- one;
 2; SELECT 3 */* two; */ 4; SELECT a@-- three;
 b; SELECT -/* four; */-5; SELECT a ->> 'b;' , c #>> '{d;}', e || -1