-- name: server
-- The session's role, the server's version and state. Settings that only some may read are null to the others.
SELECT current_setting('server_version_num')::int AS version_number,
       current_user AS user_name,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       current_setting('transaction_read_only')::bool AS read_only,
       (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'shared_preload_libraries') AS preloaded,
       pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS reads_passwords

-- name: roles
SELECT rolname AS name, rolcanlogin AS login, rolsuper AS superuser, rolcreaterole AS create_role,
       rolcreatedb AS create_database, rolinherit AS inherit, rolconnlimit AS connection_limit
  FROM pg_catalog.pg_roles

-- name: verifiers
-- Stored passwords of the named roles; only superusers may read them.
SELECT rolname AS name, rolpassword AS verifier FROM pg_catalog.pg_authid WHERE rolname = ANY (%(names)s)

-- name: memberships
-- Before PostgreSQL 16 the member's own attribute says whether it inherits, and SET ROLE is always allowed.
SELECT g.rolname AS role, m.rolname AS member, bool_or(a.admin_option) AS admin,
       bool_or(m.rolinherit) AS inherits, true AS sets
  FROM pg_catalog.pg_auth_members AS a
  JOIN pg_catalog.pg_roles AS g ON g.oid = a.roleid
  JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
 GROUP BY 1, 2

-- name: memberships_since_16
-- One membership may be granted by several roles, each with its own options; together they count.
SELECT g.rolname AS role, m.rolname AS member, bool_or(a.admin_option) AS admin,
       bool_or(a.inherit_option) AS inherits, bool_or(a.set_option) AS sets
  FROM pg_catalog.pg_auth_members AS a
  JOIN pg_catalog.pg_roles AS g ON g.oid = a.roleid
  JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
 GROUP BY 1, 2

-- name: database
-- A missing list of privileges means the built-in one (acldefault).
SELECT d.datname AS name, o.rolname AS owner, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS collate, d.datctype AS ctype,
       ARRAY(SELECT ARRAY[coalesce(r.rolname, 'public'), x.privilege_type]::text[]
               FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS x
               LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = x.grantee) AS grants
  FROM pg_catalog.pg_database AS d
  JOIN pg_catalog.pg_roles AS o ON o.oid = d.datdba
 WHERE d.datname = %(database)s

-- name: schemas
SELECT n.nspname AS name, o.rolname AS owner,
       ARRAY(SELECT ARRAY[coalesce(r.rolname, 'public'), x.privilege_type]::text[]
               FROM pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS x
               LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = x.grantee) AS grants
  FROM pg_catalog.pg_namespace AS n
  JOIN pg_catalog.pg_roles AS o ON o.oid = n.nspowner
 WHERE n.nspname = ANY (%(schemas)s)

-- name: objects
-- Tables, sequences and functions of the named schemas as GRANT ... ON ALL means them (partitions, views and
-- foreign tables are tables; procedures are not functions), without the ones that belong to an extension.
SELECT schema, kind, owner, count(*) AS total
  FROM (SELECT n.nspname AS schema, CASE c.relkind WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END AS kind,
               pg_catalog.pg_get_userbyid(c.relowner) AS owner
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'v', 'm', 'f', 'p', 'S')
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        UNION ALL
        SELECT n.nspname, 'FUNCTIONS', pg_catalog.pg_get_userbyid(p.proowner)
          FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
         WHERE n.nspname = ANY (%(schemas)s) AND p.prokind <> 'p'
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                            WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
       ) AS found
 GROUP BY 1, 2, 3

-- name: object_grants
-- On how many of the objects of the query above a role holds a privilege.
SELECT schema, kind, coalesce(r.rolname, 'public') AS grantee, x.privilege_type AS privilege,
       count(DISTINCT found.oid) AS total
  FROM (SELECT c.oid, n.nspname AS schema, CASE c.relkind WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END AS kind,
               coalesce(c.relacl, pg_catalog.acldefault((CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", c.relowner)) AS acl
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'v', 'm', 'f', 'p', 'S')
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        UNION ALL
        SELECT p.oid, n.nspname, 'FUNCTIONS', coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))
          FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
         WHERE n.nspname = ANY (%(schemas)s) AND p.prokind <> 'p'
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                            WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
       ) AS found
 CROSS JOIN LATERAL pg_catalog.aclexplode(found.acl) AS x
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = x.grantee
 WHERE coalesce(r.rolname, 'public') = ANY (%(grantees)s)
 GROUP BY 1, 2, 3, 4

-- name: defaults
SELECT o.rolname AS owner, n.nspname AS schema,
       CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' ELSE 'FUNCTIONS' END AS kind,
       coalesce(r.rolname, 'public') AS grantee, x.privilege_type AS privilege
  FROM pg_catalog.pg_default_acl AS d
  JOIN pg_catalog.pg_roles AS o ON o.oid = d.defaclrole
  JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
 CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS x
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = x.grantee
 WHERE d.defaclobjtype IN ('r', 'S', 'f') AND n.nspname = ANY (%(schemas)s)

-- name: extensions
-- What the server's host has of the named extensions and of those they require, and what this database has.
WITH RECURSIVE offered AS (
    SELECT e.name::text AS name, e.default_version, e.installed_version, v.superuser, v.trusted,
           coalesce(v.requires::text[], '{}') AS requires
      FROM pg_catalog.pg_available_extensions AS e
      LEFT JOIN pg_catalog.pg_available_extension_versions AS v
        ON v.name = e.name AND v.version = e.default_version
), needed AS (
    SELECT offered.* FROM offered WHERE name = ANY (%(extensions)s)
    UNION
    SELECT offered.* FROM offered JOIN needed ON offered.name = ANY (needed.requires)
)
SELECT needed.name, needed.default_version, needed.installed_version,
       coalesce(needed.superuser, true) AS superuser, coalesce(needed.trusted, false) AS trusted,
       needed.requires, o.rolname AS owner
  FROM needed
  LEFT JOIN pg_catalog.pg_extension AS x ON x.extname = needed.name
  LEFT JOIN pg_catalog.pg_roles AS o ON o.oid = x.extowner

-- name: statements_work
-- Fails with 55000 where pg_stat_statements was created but not preloaded.
SELECT pg_catalog.format('SELECT FROM %%I.pg_stat_statements LIMIT 1', n.nspname) AS statement
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements'
