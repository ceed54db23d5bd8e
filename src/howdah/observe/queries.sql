-- name: place
-- The highest OID of a relation; the lowest id that a transaction which begins now can have; where the log ends.
SELECT (SELECT max(c.oid) FROM pg_catalog.pg_class AS c)::int8,
       pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::int8 & 4294967295,
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::int8

-- name: counting
-- In the observed session: relations of which it has counts that it has not reported yet.
SELECT c.oid::int8
  FROM pg_catalog.pg_class AS c
 WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm', 'i')
   AND (pg_catalog.pg_stat_get_xact_numscans(c.oid) > 0
        OR pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) > 0
        OR pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) > 0
        OR pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) > 0)

-- name: look
-- In the observed session. $1: catalogues, $2: the highest OID in use, $3: further relations. What the transaction
-- holds, and what the session has counted: also of transactions before, as long as it has not reported them.
WITH held AS MATERIALIZED (
    SELECT l.locktype, l.relation, l.classid, l.objid, l.mode
      FROM pg_catalog.pg_locks AS l
     WHERE l.pid = pg_catalog.pg_backend_pid() AND l.granted AND l.mode <> 'SIReadLock'
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                          WHERE d.datname = pg_catalog.current_database())
)
SELECT 'total', pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::int8,
       (SELECT count(*) FROM held WHERE locktype = 'relation' AND relation >= 16384),
       NULL::text[], 0, 0, 0, 0
 UNION ALL
SELECT 'catalogue', c, pg_catalog.pg_stat_get_xact_tuples_inserted(c::oid), NULL,
       pg_catalog.pg_stat_get_xact_tuples_updated(c::oid),
       pg_catalog.pg_stat_get_xact_tuples_deleted(c::oid), 0, 0
  FROM pg_catalog.unnest($1::int8[]) AS c
 UNION ALL
SELECT 'object', classid::int8, objid::int8, NULL, 0, 0, 0, 0
  FROM held
 WHERE locktype = 'object' AND objid >= 16384 AND mode IN ('AccessExclusiveLock', 'ExclusiveLock')
 UNION ALL
SELECT 'relation', r.relation::int8, 0, r.modes,
       pg_catalog.pg_stat_get_xact_numscans(r.relation), pg_catalog.pg_stat_get_xact_tuples_returned(r.relation),
       pg_catalog.pg_stat_get_xact_tuples_inserted(r.relation)
       + pg_catalog.pg_stat_get_xact_tuples_updated(r.relation)
       + pg_catalog.pg_stat_get_xact_tuples_deleted(r.relation),
       CASE WHEN r.modes = '{}' THEN 0 ELSE coalesce(pg_catalog.pg_relation_size(r.relation), 0) END
  FROM (SELECT relation, pg_catalog.array_remove(pg_catalog.array_agg(mode), NULL) AS modes
          FROM (SELECT relation, mode FROM held
                 WHERE locktype = 'relation' AND relation BETWEEN 16384 AND $2::int8
                 UNION ALL
                SELECT o::oid, NULL FROM pg_catalog.unnest($3::int8[]) AS o) AS each_lock
         GROUP BY relation) AS r

-- name: touched
-- In the observed session: every relation that its transaction holds a lock on.
SELECT DISTINCT l.relation::int8
  FROM pg_catalog.pg_locks AS l
 WHERE l.pid = pg_catalog.pg_backend_pid() AND l.granted AND l.locktype = 'relation' AND l.relation >= 16384
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                      WHERE d.datname = pg_catalog.current_database())

-- name: altered
-- In the observed session. $1: OIDs, $2: its first transaction id, $3: the number of a command of it. Relations that
-- are gone, and those that were changed behind that command, with the number of the newest.
WITH wanted AS (SELECT o::oid AS oid FROM pg_catalog.unnest($1::int8[]) AS o),
written AS (
    SELECT c.oid, c.xmin, c.cmin FROM pg_catalog.pg_class AS c JOIN wanted AS w ON w.oid = c.oid
     UNION ALL
    SELECT a.attrelid, a.xmin, a.cmin FROM pg_catalog.pg_attribute AS a JOIN wanted AS w ON w.oid = a.attrelid
     UNION ALL
    SELECT i.indrelid, i.xmin, i.cmin FROM pg_catalog.pg_index AS i JOIN wanted AS w ON w.oid = i.indrelid
)
SELECT oid::int8, max(cmin::text::int8)
  FROM written
 WHERE xmin::text::int8 >= $2 AND cmin::text::int8 > $3
 GROUP BY oid
 UNION ALL
SELECT w.oid::int8, $3 FROM wanted AS w WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = w.oid)

-- name: relations
-- $1: OIDs. Facts about these relations and their indexes; columns as they are named now.
SELECT c.oid::int8, c.relnamespace::int8,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
       c.relname::text, c.relkind::text, c.relpersistence = 't' OR n.nspname = 'pg_toast', c.relispartition, c.relispopulated,
       c.relfilenode::int8, c.reltablespace::int8, c.reltoastrelid::int8, c.relnatts::int4,
       coalesce(i.indrelid, (SELECT d.refobjid FROM pg_catalog.pg_depend AS d
                              WHERE c.relkind = 'S' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                AND d.objid = c.oid AND d.deptype IN ('a', 'i') LIMIT 1), 0)::int8,
       CASE WHEN c.relkind IN ('i', 'I', 'S', 't') THEN NULL ELSE (
           SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
                      a.attnum, pg_catalog.quote_ident(a.attname),
                      pg_catalog.format_type(a.atttypid, a.atttypmod),
                      a.attnotnull OR t.typnotnull,
                      a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
                      a.attgenerated <> ''))
             FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) END
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
 WHERE c.oid = ANY (
     SELECT o::oid FROM pg_catalog.unnest($1::int8[]) AS o
      UNION ALL
     SELECT x.indexrelid FROM pg_catalog.pg_index AS x
      WHERE x.indrelid = ANY (SELECT o::oid FROM pg_catalog.unnest($1::int8[]) AS o))

-- name: objects
-- $1: OIDs. What is not a relation and has a name that somebody may know; not what goes with its relation or extension.
WITH wanted AS (SELECT o::oid AS oid FROM pg_catalog.unnest($1::int8[]) AS o)
SELECT p.oid::int8,
       CASE WHEN p.prokind = 'p' THEN 'procedure' WHEN p.prokind = 'a' THEN 'aggregate'
            -- Triggers call it; a program cannot.
            WHEN p.prorettype IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
            THEN 'trigger function' ELSE 'function' END,
       (pg_catalog.pg_identify_object(p.tableoid, p.oid, 0)).identity, 0::int8
  FROM pg_catalog.pg_proc AS p
 WHERE p.oid IN (SELECT oid FROM wanted)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = p.tableoid AND d.objid = p.oid AND d.deptype = 'e')
 UNION ALL
SELECT t.oid::int8, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END,
       (pg_catalog.pg_identify_object(t.tableoid, t.oid, 0)).identity, 0
  FROM pg_catalog.pg_type AS t
 WHERE t.oid IN (SELECT oid FROM wanted) AND t.typrelid = 0 AND t.typtype <> 'm'
   AND NOT (t.typcategory = 'A' AND t.typelem <> 0)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = t.tableoid AND d.objid = t.oid AND d.deptype = 'e')
 UNION ALL
SELECT n.oid::int8, 'schema', pg_catalog.quote_ident(n.nspname), 0
  FROM pg_catalog.pg_namespace AS n WHERE n.oid IN (SELECT oid FROM wanted)
 UNION ALL
SELECT x.oid::int8, 'extension', pg_catalog.quote_ident(x.extname), 0
  FROM pg_catalog.pg_extension AS x WHERE x.oid IN (SELECT oid FROM wanted)
 UNION ALL
SELECT e.oid::int8, 'enum value',
       (pg_catalog.pg_identify_object('pg_catalog.pg_type'::pg_catalog.regclass, e.enumtypid, 0)).identity
       || '.' || pg_catalog.quote_ident(e.enumlabel), 0
  FROM pg_catalog.pg_enum AS e WHERE e.oid IN (SELECT oid FROM wanted)
 UNION ALL
SELECT o.oid::int8, 'constraint',
       pg_catalog.quote_ident(n.nspname) || '.' || coalesce(pg_catalog.quote_ident(c.relname) || '.', '')
       || pg_catalog.quote_ident(o.conname), o.conrelid::int8
  FROM pg_catalog.pg_constraint AS o
  JOIN pg_catalog.pg_namespace AS n ON n.oid = o.connamespace
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = o.conrelid
 WHERE o.oid IN (SELECT oid FROM wanted) AND o.contype IN ('c', 'f', 'p', 'u', 'x')
 UNION ALL
SELECT g.oid::int8, 'trigger',
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || '.' || pg_catalog.quote_ident(g.tgname),
       g.tgrelid::int8
  FROM pg_catalog.pg_trigger AS g
  JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE g.oid IN (SELECT oid FROM wanted) AND NOT g.tgisinternal
 UNION ALL
SELECT y.oid::int8, 'policy',
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || '.' || pg_catalog.quote_ident(y.polname),
       y.polrelid::int8
  FROM pg_catalog.pg_policy AS y
  JOIN pg_catalog.pg_class AS c ON c.oid = y.polrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE y.oid IN (SELECT oid FROM wanted)

-- name: updated
-- In the observed session. $1: its first transaction id, $2: catalogues. Whose rows it wrote: not every renaming locks.
SELECT oid::int8 FROM pg_catalog.pg_type WHERE 1247 = ANY ($2::int8[]) AND xmin::text::int8 >= $1
 UNION ALL
SELECT oid::int8 FROM pg_catalog.pg_proc WHERE 1255 = ANY ($2::int8[]) AND xmin::text::int8 >= $1
 UNION ALL
SELECT oid::int8 FROM pg_catalog.pg_namespace WHERE 2615 = ANY ($2::int8[]) AND xmin::text::int8 >= $1
 UNION ALL
SELECT oid::int8 FROM pg_catalog.pg_constraint WHERE 2606 = ANY ($2::int8[]) AND xmin::text::int8 >= $1
 UNION ALL
SELECT oid::int8 FROM pg_catalog.pg_trigger WHERE 2620 = ANY ($2::int8[]) AND xmin::text::int8 >= $1
 UNION ALL
SELECT oid::int8 FROM pg_catalog.pg_enum WHERE 3501 = ANY ($2::int8[]) AND xmin::text::int8 >= $1
 UNION ALL
SELECT oid::int8 FROM pg_catalog.pg_policy WHERE 3256 = ANY ($2::int8[]) AND xmin::text::int8 >= $1

-- name: in_use
-- Every relation, with how many columns it has, and every other object with a name.
SELECT oid::int8, relnatts::int4 FROM pg_catalog.pg_class WHERE oid >= 16384 AND relpersistence <> 't'
 UNION ALL SELECT oid::int8, 0 FROM pg_catalog.pg_proc WHERE oid >= 16384
 UNION ALL SELECT oid::int8, 0 FROM pg_catalog.pg_type WHERE oid >= 16384 AND typrelid = 0
 UNION ALL SELECT oid::int8, 0 FROM pg_catalog.pg_namespace
 UNION ALL SELECT oid::int8, 0 FROM pg_catalog.pg_extension
 UNION ALL SELECT oid::int8, 0 FROM pg_catalog.pg_enum
 UNION ALL SELECT oid::int8, 0 FROM pg_catalog.pg_constraint WHERE oid >= 16384
 UNION ALL SELECT oid::int8, 0 FROM pg_catalog.pg_trigger WHERE oid >= 16384
 UNION ALL SELECT oid::int8, 0 FROM pg_catalog.pg_policy

-- name: there_again
-- In the observed session. $1: kinds, $2: names of objects that were dropped or renamed. The places, from 1, of those that are there.
SELECT w.place::int4,
       CASE WHEN w.kind IN ('table', 'view', 'materialized view', 'foreign table', 'sequence')
            THEN pg_catalog.to_regclass(w.name)::oid::int8 END
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) WITH ORDINALITY AS w (kind, name, place)
 WHERE CASE WHEN w.kind IN ('table', 'view', 'materialized view', 'foreign table', 'sequence')
            THEN pg_catalog.to_regclass(w.name) IS NOT NULL
            WHEN w.kind IN ('function', 'trigger function', 'procedure', 'aggregate') THEN pg_catalog.to_regprocedure(w.name) IS NOT NULL
            WHEN w.kind IN ('type', 'domain') THEN pg_catalog.to_regtype(w.name) IS NOT NULL
            WHEN w.kind = 'schema' THEN pg_catalog.to_regnamespace(w.name) IS NOT NULL
            -- A change of a column's type makes them again.
            WHEN w.kind = 'constraint' THEN EXISTS (
                SELECT FROM pg_catalog.pg_constraint AS o
                  JOIN pg_catalog.pg_namespace AS n ON n.oid = o.connamespace
                  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = o.conrelid
                 WHERE w.name = pg_catalog.quote_ident(n.nspname) || '.'
                       || coalesce(pg_catalog.quote_ident(c.relname) || '.', '') || pg_catalog.quote_ident(o.conname)) END

-- name: seen
-- From outside. $1: pid of the observed session. What it holds and waits for.
SELECT l.relation::int8, l.mode, l.granted
  FROM pg_catalog.pg_locks AS l
 WHERE l.pid = $1 AND l.locktype = 'relation' AND l.mode <> 'SIReadLock'
   AND (l.relation >= 16384 OR NOT l.granted)
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                      WHERE d.datname = pg_catalog.current_database())

-- name: known
-- $1: OIDs. Those of relations that are there, and not of indexes that no plan uses any more.
SELECT c.oid::int8
  FROM pg_catalog.pg_class AS c
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
 WHERE c.oid = ANY (SELECT o::oid FROM pg_catalog.unnest($1::int8[]) AS o) AND coalesce(i.indislive, true)

-- name: has_partitions
-- Whether any table is partitioned.
SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relkind = 'p')

-- name: counted
-- From outside, when the observed session has reported: what was ever read and written of each table.
SELECT c.oid::int8, pg_catalog.pg_stat_get_numscans(c.oid), pg_catalog.pg_stat_get_tuples_returned(c.oid),
       pg_catalog.pg_stat_get_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_tuples_updated(c.oid)
       + pg_catalog.pg_stat_get_tuples_deleted(c.oid)
  FROM pg_catalog.pg_class AS c
 WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
