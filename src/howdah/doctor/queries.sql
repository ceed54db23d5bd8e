-- name: server
-- What the session is connected to, and what its role may do there.
SELECT pg_catalog.pg_backend_pid() AS backend_pid,
       current_setting('server_version_num')::int AS version_number,
       current_setting('server_version') AS version,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       current_setting('default_transaction_read_only')::bool AS read_only,
       current_setting('is_superuser')::bool AS is_superuser,
       current_user AS user_name,
       current_schema() AS schema,
       current_setting('search_path') AS search_path,
       d.datname AS database, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding, o.rolname AS owner,
       pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE') AS is_owner,
       pg_catalog.has_schema_privilege(current_user, current_schema(), 'CREATE') AS creates_tables
  FROM pg_catalog.pg_database AS d
  JOIN pg_catalog.pg_roles AS o ON o.oid = d.datdba
 WHERE d.datname = current_database()

-- name: column
-- A column's type and the one that is expected there; no row where there is no such table.
-- A table without a schema is looked for on the search_path, as the application does.
SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       a.atttypid = pg_catalog.to_regtype(%(expected)s) AS same_type,
       pg_catalog.to_regtype(%(expected)s) IS NOT NULL AS is_known
  FROM (SELECT pg_catalog.to_regclass(%(table)s) AS oid) AS t
  LEFT JOIN pg_catalog.pg_attribute AS a
    ON a.attrelid = t.oid AND a.attname = %(column)s AND a.attnum > 0 AND NOT a.attisdropped
 WHERE t.oid IS NOT NULL
