-- name: about
SELECT current_setting('server_version_num')::int / 10000, pg_database_size(current_database()),
       pg_is_in_recovery(), ARRAY(SELECT extname::text FROM pg_extension WHERE extname <> 'plpgsql'),
       ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname !~ '^pg_'),
       current_setting('max_locks_per_transaction')::int

-- name: unreadable
-- What pg_dump would stop at: no right to read a table, a sequence or a schema, or rows that a policy hides.
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  AND NOT (has_schema_privilege(n.oid, 'USAGE')
           AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT')
               ELSE has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid) END)
ORDER BY 1

-- name: settings
-- What a session of this role has there and decides about what statements do; "$user" stands for somebody else elsewhere.
SELECT name, current_setting(name) FROM unnest(ARRAY['TimeZone', 'DateStyle', 'IntervalStyle']) AS name
UNION ALL
SELECT 'search_path', replace(current_setting('search_path'), '"$user"', quote_ident(current_user))
UNION ALL
SELECT DISTINCT split_part(entry, '=', 1), current_setting(split_part(entry, '=', 1))
FROM pg_db_role_setting s, unnest(s.setconfig) AS entry
WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
  AND split_part(entry, '=', 1) LIKE '%.%' AND current_setting(split_part(entry, '=', 1), true) IS NOT NULL

-- name: defuse
-- Nothing of a copy acts by itself or reaches another server: event triggers, subscriptions, logins of foreign servers.
DO $$
DECLARE each record;
BEGIN
  FOR each IN SELECT evtname FROM pg_event_trigger LOOP
    EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', each.evtname);
  END LOOP;
  FOR each IN SELECT srvname, usename FROM pg_user_mappings LOOP
    EXECUTE format('DROP USER MAPPING FOR %s SERVER %I',
                   CASE each.usename WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(each.usename) END, each.srvname);
  END LOOP;
  FOR each IN SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
              WHERE d.datname = current_database() LOOP
    EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', each.subname);
    EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', each.subname);
    EXECUTE format('DROP SUBSCRIPTION %I', each.subname);
  END LOOP;
END $$
