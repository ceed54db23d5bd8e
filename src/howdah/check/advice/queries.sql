-- name: constraints
-- Constraints of tables: OID, table and name as SQL takes them, kind, definition, index ("" where it has none), its definition.
-- What a parent hands down to its partitions is the parent's.
SELECT k.oid, k.conrelid::regclass::text, quote_ident(k.conname), k.contype::text, pg_get_constraintdef(k.oid, true),
       CASE WHEN k.contype IN ('p', 'u', 'x') THEN quote_ident(c.relname) ELSE '' END,
       CASE WHEN k.contype IN ('p', 'u', 'x') THEN pg_get_indexdef(k.conindid, 0, true) ELSE '' END
  FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conindid
 WHERE k.conrelid > 0 AND k.contype IN ('c', 'f', 'u', 'p', 'x', 'n') AND k.conparentid = 0 AND k.conislocal
   AND k.connamespace <> 'pg_catalog'::regnamespace
 ORDER BY k.oid

-- name: indexes
-- Indexes: OID, name as SQL takes it, definition, whether it is of a partitioned table, its parent ("" where it has none).
SELECT i.indexrelid, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid, 0, true), c.relkind = 'I',
       coalesce(h.inhparent::regclass::text, '')
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
 WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
 ORDER BY i.indexrelid

-- name: columns
-- Columns of tables: OID of the table, number, table and name as SQL takes them, type with its collation, default (""
-- where it has none), whether it may not be null, whether its value is made by the server (identity, generated, serial).
SELECT a.attrelid, a.attnum, a.attrelid::regclass::text, quote_ident(a.attname),
       concat_ws(' ', format_type(a.atttypid, a.atttypmod),
         'COLLATE ' || (SELECT l.oid::regcollation::text FROM pg_collation l
                         WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation)),
       coalesce(pg_get_expr(d.adbin, d.adrelid, true), ''), a.attnotnull,
       a.attidentity <> '' OR a.attgenerated <> '' OR pg_get_serial_sequence(c.oid::regclass::text, a.attname) IS NOT NULL
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
   AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
   AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid AND c.relispartition)
 ORDER BY a.attrelid, a.attnum

-- name: partitions
-- Partitions: OID, name as SQL takes it, and what their bounds say of each row.
SELECT c.oid, c.oid::regclass::text, coalesce(pg_get_partition_constraintdef(c.oid), '')
  FROM pg_class c WHERE c.relispartition AND c.relkind IN ('r', 'p') ORDER BY c.oid

-- name: bare_foreign_keys
-- Foreign keys whose columns no valid index begins with: OID, name, table, columns in order, table referred to.
SELECT k.oid, quote_ident(k.conname), format('%I.%I', n.nspname, c.relname),
       ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
       k.confrelid::regclass::text
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE k.contype = 'f' AND k.conparentid = 0
   AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid
                      AND (i.indkey::int2[])[0:array_length(k.conkey, 1) - 1] @> k.conkey)
 ORDER BY k.oid
