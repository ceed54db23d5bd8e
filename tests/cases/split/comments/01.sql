SELECT 1 -- tail; 'not a string
 + 2
