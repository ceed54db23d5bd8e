-- first; comment
/* block; /* nested; */ still; */ SELECT 1 -- tail; 'not a string
 + 2 /* x */; /* between; */ -- and;
;;
/**/SELECT/*;*/3/**/-- end;