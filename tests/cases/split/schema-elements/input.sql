CREATE SCHEMA app
  CREATE TABLE t (a int)
  CREATE VIEW v AS SELECT a FROM t
  GRANT SELECT ON v TO public;
SET search_path TO app;
