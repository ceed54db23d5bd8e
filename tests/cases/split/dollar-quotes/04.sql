SELECT a$b$c, x$$ FROM t$1 WHERE b$q$ = $3
