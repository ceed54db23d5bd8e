SELECT 1 +-- one;
 2
