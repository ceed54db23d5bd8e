-- name: tables
-- Tables that hold rows and people made, and their columns: one row a column, by table and place. $1 and $2: schemas and
-- names of tables to leave out; $3: OIDs of those that are wanted; NULL: all.
SELECT c.oid, format('%I.%I', n.nspname, c.relname), pg_get_partition_constraintdef(c.oid), a.attnum, a.attname, quote_ident(a.attname),
       format_type(a.atttypid, a.atttypmod), b.typname, b.typtype::text, b.typcategory::text,
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
       CASE WHEN b.typcategory = 'A' THEN format_type(b.typelem, NULL) END,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e
         WHERE e.enumtypid = CASE WHEN b.typcategory = 'A' THEN b.typelem ELSE b.oid END),
       a.attnotnull OR t.typnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
       CASE WHEN t.typtype = 'd' THEN
         (SELECT string_agg(pg_get_constraintdef(k.oid), ' ') FROM pg_constraint k WHERE k.contypid = t.oid) END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.oid >= 16384 AND c.relkind = 'r' AND c.relpersistence <> 't' AND ($3::oid[] IS NULL OR c.oid = ANY ($3))
   AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'howdah')
   AND (n.nspname, c.relname) NOT IN (SELECT * FROM unnest($1::text[], $2::text[]))
   AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
 ORDER BY c.oid, a.attnum

-- name: constraints
-- What rows of the tables $1 must obey: primary and unique keys, checks, and foreign keys with what they refer to.
SELECT k.conrelid, k.conname, k.contype::text, k.conkey::int[], k.confrelid,
       (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = k.confrelid),
       ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
               JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place),
       pg_get_constraintdef(k.oid)
  FROM pg_constraint k WHERE k.conrelid = ANY ($1::oid[]) AND k.contype IN ('p', 'u', 'c', 'f') AND k.conkey IS NOT NULL

-- name: sequences
-- Sequences that people made: (OID, name). $1: of these OIDs; NULL: all.
SELECT c.oid, format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid >= 16384 AND c.relkind = 'S' AND c.relpersistence <> 't' AND ($1::oid[] IS NULL OR c.oid = ANY ($1))
   AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'howdah')

-- name: locked
-- OIDs of the relations that people made and that this session has locked.
SELECT DISTINCT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation >= 16384
