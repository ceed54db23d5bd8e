-- name: look
-- Round trip 1: where the history would be, the columns that tell whose it is, and what kind of server this is.
SELECT current_database() AS database,
       current_schema() AS schema,
       pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
       pg_backend_pid() AS backend_pid,
       -- not to_regclass(), which fails where this role may not look into the schema
       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'howdah' AND c.relname = 'history' AND has_schema_privilege(n.oid, 'USAGE')
                  AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                  AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
                  -- one from when versions were numbers is brought into today's form first
                  AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'version'
                                 AND atttypid = 'text'::regtype))
         AS has_side_history,
       found.kind, coalesce(found.hides_rows, false) AS hides_rows, coalesce(found.may_fence, false) AS may_fence,
       found.columns,
       (SELECT n.nspname
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relname = $2 AND n.nspname = ANY (current_schemas(false))
         ORDER BY array_position(current_schemas(false), n.nspname)
         LIMIT 1) AS first_on_path
  FROM (SELECT) AS one
  LEFT JOIN (SELECT c.relkind::text AS kind, row_security_active(c.oid) AS hides_rows,
                    has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE') AS may_fence,
                    (SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
               FROM pg_class c
               JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = coalesce($1, current_schema()) AND c.relname = $2) AS found ON true

-- name: read_records
-- The newest row of each version of one history.
SELECT version, action, previous, checksum, normal_checksum, statements, statements_done, applied_by,
       started_at, finished_at, seconds
  FROM howdah.history
 WHERE history = $1 AND id IN (SELECT max(id) FROM howdah.history WHERE history = $1 GROUP BY version)

-- name: read_bodies
-- What was applied, as the newest run of each of these versions read it.
SELECT DISTINCT ON (version) version, body
  FROM howdah.history
 WHERE history = $1 AND version = ANY ($2::text[])
 ORDER BY version, id DESC

-- name: create_side_history
-- One row a step, newest last; `history` is the quoted name of the tool's own table. Rows are counted under the migration
-- lock, not by a sequence: in a copied database (CREATE DATABASE ... TEMPLATE) one may be behind its table after a crash.
CREATE SCHEMA IF NOT EXISTS howdah;
CREATE TABLE IF NOT EXISTS howdah.history (
  history text NOT NULL,
  id bigint NOT NULL,
  version text NOT NULL,
  name text NOT NULL,
  action text NOT NULL CHECK (action IN ('apply', 'revert', 'baseline', 'repair', 'resolve-applied', 'resolve-reverted')),
  previous text,
  checksum bytea,
  normal_checksum bytea,
  body text,
  statements int NOT NULL,
  statements_done int NOT NULL,
  applied_by text NOT NULL DEFAULT session_user,
  client text NOT NULL,
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  seconds double precision,
  PRIMARY KEY (history, id)
);
DO $$
BEGIN
  -- Before there were formats whose versions are no numbers.
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'howdah.history'::regclass AND attname = 'version'
                AND atttypid = 'bigint'::regtype) THEN
    ALTER TABLE howdah.history
      ALTER COLUMN version TYPE text,
      ALTER COLUMN previous TYPE text,
      DROP CONSTRAINT history_action_check,
      ADD CONSTRAINT history_action_check
        CHECK (action IN ('apply', 'revert', 'baseline', 'repair', 'resolve-applied', 'resolve-reverted'));
  END IF;
END $$;
CREATE INDEX IF NOT EXISTS history_version_idx ON howdah.history (history, version, id);
COMMENT ON TABLE howdah.history IS 'What howdah did to the migration histories of this database. Safe to drop: it is made anew.'

-- name: add_record
-- A finished step, in the transaction of its migration.
INSERT INTO howdah.history (history, id, version, name, action, previous, checksum, normal_checksum, body,
                            statements, statements_done, client, started_at, finished_at, seconds)
SELECT $1, coalesce(max(id), 0) + 1, $2, $3, $4, $5, $6::bytea, $7::bytea, $8,
       $9::int, $9::int, $10, now(), clock_timestamp(), extract(epoch FROM clock_timestamp() - now())
  FROM howdah.history WHERE history = $1

-- name: add_foreign_record
-- A finished step that its own tool ran, in transactions of its own, for so many seconds ($11).
INSERT INTO howdah.history (history, id, version, name, action, previous, checksum, normal_checksum, body,
                            statements, statements_done, client, started_at, finished_at, seconds)
SELECT $1, coalesce(max(id), 0) + 1, $2, $3, $4, $5, $6::bytea, $7::bytea, $8,
       $9::int, $9::int, $10, clock_timestamp() - make_interval(secs => $11::float8), clock_timestamp(), $11::float8
  FROM howdah.history WHERE history = $1

-- name: begin_record
-- A step that runs outside a transaction: it has started.
INSERT INTO howdah.history (history, id, version, name, action, previous, checksum, normal_checksum, body,
                            statements, statements_done, client, started_at)
SELECT $1, coalesce(max(id), 0) + 1, $2, $3, $4, $5, $6::bytea, $7::bytea, $8,
       $9::int, 0, $10, clock_timestamp()
  FROM howdah.history WHERE history = $1

-- name: advance_record
-- One more statement of such a step is done.
UPDATE howdah.history SET statements_done = $3::int
 WHERE history = $1 AND id = (SELECT max(id) FROM howdah.history WHERE history = $1 AND version = $2)

-- name: finish_record
-- Such a step is done.
UPDATE howdah.history
   SET finished_at = clock_timestamp(), seconds = extract(epoch FROM clock_timestamp() - started_at),
       statements_done = statements
 WHERE history = $1 AND id = (SELECT max(id) FROM howdah.history WHERE history = $1 AND version = $2)

-- name: durably
-- The commit of this transaction waits for the disk, whatever the server, the role or the migration says:
-- what we tell of must survive a crash.
SELECT pg_catalog.set_config('synchronous_commit', 'local', true)
 WHERE pg_catalog.current_setting('synchronous_commit') = 'off'

-- name: flush
-- A commit that waits for its own WAL record has waited for those before it. It must write one:
-- a transaction without changes is not waited for.
SELECT CASE pg_catalog.current_setting('synchronous_commit')
         WHEN 'off' THEN pg_catalog.set_config('synchronous_commit', 'local', true) END,
       pg_catalog.pg_logical_emit_message(true, 'howdah', 'durable')

-- name: lock_holders
-- Who holds or waits for these advisory locks of this database. A bigint key is shown in two halves.
SELECT l.pid, l.granted, coalesce(a.application_name, '') AS application, coalesce(a.usename, '') AS role,
       coalesce(host(a.client_addr), 'the server''s own machine') AS client, coalesce(a.state, '') AS state,
       extract(epoch FROM clock_timestamp() - coalesce(a.query_start, a.backend_start))::float8 AS seconds,
       left(coalesce(a.query, ''), 200) AS query
  FROM pg_locks l
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.pid <> pg_backend_pid()
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND ((l.classid::bigint << 32) | l.objid::bigint) = ANY ($1::bigint[])
 ORDER BY l.granted DESC, l.pid

-- name: lock_wait
-- What one backend waits for, seen from any session, and whom.
SELECT l.locktype, l.mode, coalesce(l.relation, 0)::bigint AS relation,
       coalesce(l.relation::regclass::text, '') AS name,
       coalesce(extract(epoch FROM clock_timestamp() - l.waitstart), 0)::float8 AS seconds,
       -- of a parallel query the leader; 0 for a prepared transaction
       pg_blocking_pids($1::int) AS pids
  FROM pg_locks l
 WHERE l.pid = $1::int AND NOT l.granted
 LIMIT 1

-- name: lock_wait_holders
-- These processes ($1) and transactions ($4), and whoever holds a relation ($2) in one of these modes ($3), without
-- the waiter ($5). Process and transaction of others everybody may see; what they do, and since when, not everybody.
WITH locks AS MATERIALIZED (SELECT * FROM pg_locks WHERE pid IS DISTINCT FROM $5::int AND pid IS DISTINCT FROM pg_backend_pid()),
     ours AS (SELECT oid FROM pg_database WHERE datname = current_database()),
     found AS (
       SELECT pid, virtualtransaction AS transaction,
              max(transactionid::text) FILTER (WHERE locktype = 'transactionid' AND granted) AS xid,
              array_agg(DISTINCT mode) FILTER (WHERE locktype = 'relation' AND relation = $2::bigint::oid
                                                 AND granted AND mode <> 'SIReadLock'
                                                 AND database IN (SELECT oid FROM ours)) AS modes
         FROM locks
        GROUP BY pid, virtualtransaction
       HAVING bool_or(pid = ANY ($1::int[]) AND granted) OR virtualtransaction = ANY ($4::text[])
           OR bool_or(granted AND locktype = 'relation' AND relation = $2::bigint::oid AND database IN (SELECT oid FROM ours)
                      AND mode = ANY ($3::text[]))
           -- whatever else a prepared transaction holds that is waited for: its rows
           OR (0 = ANY ($1::int[]) AND pid IS NULL
               AND bool_or(locktype = 'transactionid' AND transactionid IN
                             (SELECT w.transactionid FROM pg_locks w WHERE w.pid = $5::int AND NOT w.granted))))
SELECT coalesce(f.pid, 0) AS pid, f.transaction, coalesce(f.modes, '{}') AS modes,
       coalesce(a.application_name, '') AS application, coalesce(a.usename, p.owner, '') AS role,
       CASE WHEN a.client_addr IS NOT NULL THEN host(a.client_addr)
            WHEN a.client_port = -1 THEN 'the server''s own machine' ELSE '' END AS client,
       -- without rights on others' sessions the type is hidden; only a worker of autovacuum has a database and no role
       coalesce(a.backend_type, CASE WHEN a.datid IS NOT NULL AND a.usesysid IS NULL THEN 'autovacuum worker' END, '')
         AS backend_type,
       coalesce(a.state, '') AS state,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 AS seconds,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS state_seconds,
       left(coalesce(a.query, ''), 500) AS query, coalesce(p.gid, '') AS prepared
  FROM found f
  LEFT JOIN pg_stat_activity a ON a.pid = f.pid
  LEFT JOIN pg_prepared_xacts p ON f.pid IS NULL AND p.transaction::text = f.xid
 ORDER BY coalesce(a.xact_start, p.prepared)

-- name: longest_stall
-- How long the oldest statement of the application has been waiting for one backend ($1), or behind it in a queue. Reads and
-- writes count, not others' changes of the structure, and not who waits for these tables ($2).
SELECT max(extract(epoch FROM clock_timestamp() - w.waitstart))::float8 AS seconds
  FROM (SELECT pid, waitstart
          FROM pg_locks
         WHERE NOT granted AND pid <> $1::int AND waitstart IS NOT NULL
           AND (locktype IN ('transactionid', 'tuple')
                OR (locktype = 'relation' AND mode IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND relation <> ALL (SELECT coalesce(to_regclass(name)::oid, 0) FROM unnest($2::text[]) AS name)))
         ORDER BY waitstart
         LIMIT 20) AS w
 WHERE $1::int = ANY (pg_blocking_pids(w.pid))

-- name: deadlock_timeout
-- After how long a wait PostgreSQL looks whether an autovacuum is in the way, and cancels it.
SELECT extract(epoch FROM current_setting('deadlock_timeout')::interval)::float8 AS seconds

-- name: stop_waiting
-- Cancel what a backend is at, if that still is waiting for a relation.
SELECT pg_cancel_backend($1::int) WHERE EXISTS (SELECT FROM pg_locks WHERE pid = $1::int AND NOT granted AND locktype = 'relation')

-- name: stop_try
-- Cancel what a backend is at.
SELECT pg_cancel_backend($1::int)

-- name: invalid_indexes
-- What an interrupted CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY leaves behind, or another session is building:
-- that one holds SHARE UPDATE EXCLUSIVE on the table. The name is quoted.
SELECT i.indexrelid::bigint AS oid, format('%I.%I', n.nspname, c.relname) AS name, i.indrelid::regclass::text AS on_table,
       EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.granted
                  AND l.mode = 'ShareUpdateExclusiveLock' AND l.pid <> pg_backend_pid()
                  AND a.backend_type = 'client backend') AS being_built
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid AND c.relkind = 'i'

-- name: index_state
-- The index of a name ($1), in the schema of a table ($2) where one is named: is it valid, and is somebody at work on its
-- table? Names as a statement writes them. One of a partitioned table is invalid until its parts are attached: left out.
SELECT format('%I.%I', n.nspname, c.relname) AS name, i.indisvalid AS is_valid, i.indisunique AS is_unique,
       pg_get_indexdef(c.oid) AS definition,
       EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.granted
                  AND l.mode = 'ShareUpdateExclusiveLock' AND l.pid <> pg_backend_pid()
                  AND a.backend_type = 'client backend') AS being_built
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'i'
   AND c.oid = CASE WHEN $2 = '' THEN to_regclass($1)::oid
                    ELSE (SELECT k.oid FROM pg_class k
                           WHERE k.relname = (parse_ident($1))[1]::name
                             AND k.relnamespace = (SELECT t.relnamespace FROM pg_class t WHERE t.oid = to_regclass($2))) END

-- name: reindex_leftovers
-- What an interrupted REINDEX CONCURRENTLY of an index ($1) or of a table ($2) has left: it appends these to the name.
SELECT format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relname ~ '_cc(new|old)[0-9]*$'
   AND i.indrelid = coalesce((SELECT x.indrelid FROM pg_index x WHERE x.indexrelid = to_regclass(nullif($1, ''))), to_regclass(nullif($2, ''))::oid)
   AND NOT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                    WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.granted
                      AND l.mode = 'ShareUpdateExclusiveLock' AND l.pid <> pg_backend_pid()
                      AND a.backend_type = 'client backend')

-- name: partition_state
-- Whether a table ($1) is a partition, and whether an interrupted DETACH CONCURRENTLY has left it half-detached.
SELECT inhdetachpending AS is_pending FROM pg_inherits
 WHERE inhrelid = to_regclass($1)::oid AND inhparent = to_regclass($2)::oid

-- name: roles
-- Who this session is, and the role it has taken ("none": none).
SELECT session_user::text AS session_user, current_setting('role') AS role

-- name: traces
-- Which of these relations are there; only an index can be invalid.
SELECT name, to_regclass(name) IS NOT NULL AS "exists",
       coalesce((SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(name)), true) AS is_valid
  FROM unnest($1::text[]) WITH ORDINALITY AS made (name, place)
 ORDER BY place

-- name: drop_record
-- Such a step did nothing after all.
DELETE FROM howdah.history
 WHERE history = $1 AND id = (SELECT max(id) FROM howdah.history WHERE history = $1 AND version = $2) AND finished_at IS NULL

-- name: history_relation
-- Of a history table that is to be renamed: its owner, our role, its indexes and sequences.
SELECT pg_get_userbyid(c.relowner) AS owner, current_user AS role,
       coalesce((SELECT jsonb_agg(jsonb_build_array(CASE p.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'INDEX' END, p.relname)
                                  ORDER BY p.relname)
                   FROM pg_class p
                  WHERE p.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = c.oid)
                     OR p.oid IN (SELECT d.objid FROM pg_depend d
                                   WHERE d.classid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype IN ('a', 'i')
                                     AND p.relkind = 'S')), '[]') AS parts
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = $2

-- name: tables_named
-- Tables of these names, in any schema, with their columns.
SELECT n.nspname::text AS schema, c.relname::text AS name,
       (SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relname = ANY ($1::text[]) AND has_schema_privilege(n.oid, 'USAGE')
 ORDER BY 1, 2

-- name: relation_names
-- The names that are taken in a schema.
SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1
