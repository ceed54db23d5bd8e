SELECT * FROM begin atomic;
CREATE TABLE begin (atomic int);
CREATE VIEW v AS SELECT 1 AS begin, 2 AS end;
ALTER FUNCTION begin(atomic) SET x TO begin;
SELECT 1;
