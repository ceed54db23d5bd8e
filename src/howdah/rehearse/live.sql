-- name: targets
-- The tables and materialized views that a canary can watch, by their quoted names.
SELECT format('%%I.%%I', n.nspname, c.relname), n.nspname, c.relname, c.relkind = 'm'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND format('%%I.%%I', n.nspname, c.relname) = ANY (%(names)s)

-- name: tables_to_empty
-- The tables that hold rows and that no extension brought.
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
  AND n.nspname NOT IN ('information_schema', 'howdah')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')

-- name: no_triggers
SELECT set_config('session_replication_role', 'replica', false)
WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)

-- name: relation
SELECT format('%%I.%%I', n.nspname, c.relname), n.nspname, c.relname,
       ARRAY(SELECT a.attname FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
             WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = i.indrelid ORDER BY k.place)::text[]
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p')

-- name: unique_index
-- The expressions of its keys and its predicate; NULLs are equal to nothing, unless it says otherwise (15 and newer).
SELECT ARRAY(SELECT pg_get_indexdef(x.oid, n, true) FROM generate_series(1, i.indnkeyatts) n)::text[],
       pg_get_expr(i.indpred, i.indrelid), coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false)
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace s ON s.oid = x.relnamespace
WHERE s.nspname = %(schema)s AND x.relname = %(constraint)s

-- name: foreign_key
SELECT format('%%I.%%I', n.nspname, p.relname),
       ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place)::text[],
       ARRAY(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place)::text[]
FROM pg_constraint k JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace n ON n.oid = p.relnamespace
WHERE k.contype = 'f' AND k.conname = %(constraint)s AND k.conrelid = %(relation)s::regclass

-- name: check
SELECT pg_get_expr(k.conbin, k.conrelid) FROM pg_constraint k
WHERE k.contype = 'c' AND k.conname = %(constraint)s AND k.conrelid = %(relation)s::regclass

-- name: columns
-- Types, and what is computed, of all columns of tables.
SELECT format('%%I.%%I', n.nspname, c.relname), a.attname, format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'howdah')

-- name: names
-- Schema and name of a relation, by its quoted name.
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %(relation)s::regclass
