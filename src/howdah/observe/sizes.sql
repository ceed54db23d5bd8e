-- name: about
-- The server and the moment, as every role may read them.
SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,
       to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), pg_is_in_recovery(),
       extract(epoch FROM now() - d.stats_reset)::float8
FROM pg_stat_database d WHERE d.datname = current_database()

-- name: settings
SELECT name, current_setting(name) FROM unnest(%(names)s::text[]) AS name ORDER BY name

-- name: may_ask_age
SELECT has_function_privilege('pg_catalog.pg_stat_file(text)', 'EXECUTE')

-- name: age
-- Seconds since the database was made: so long it counts where its statistics were never reset.
SELECT extract(epoch FROM now() - s.modification)::float8
FROM pg_database d, pg_stat_file('base/' || d.oid || '/PG_VERSION') s WHERE d.datname = current_database()

-- name: tables
-- pg_relation_size is null for what is dropped meanwhile. A table that grew since it was counted is as dense as then,
-- as the planner takes it; -1: it was never counted.
SELECT c.oid::int8, CASE WHEN c.relispartition THEN i.inhparent::int8 END,
       format('%%I.%%I', n.nspname, c.relname), c.relkind::text,
       CASE WHEN c.reltuples >= 0 AND c.relpages > 0
            THEN c.reltuples::float8 / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::int)
            ELSE c.reltuples::float8 END,
       s.n_live_tup, coalesce(pg_relation_size(c.oid), 0), coalesce(pg_indexes_size(c.oid), 0),
       coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0),
       coalesce(s.seq_scan, 0) + coalesce(s.idx_scan, 0),
       coalesce(s.n_tup_ins, 0) + coalesce(s.n_tup_upd, 0) + coalesce(s.n_tup_del, 0)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND c.relispartition
     LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
