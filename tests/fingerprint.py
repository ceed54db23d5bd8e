"""What a database contains, as lines to compare two runs by: structure and rows, nothing that varies by itself."""

from __future__ import annotations

from fix_db import connect
from howdah.config.database import DatabaseConfig

# Everything a person could see in these namespaces; howdah's own and the history table are judged elsewhere.
_OURS = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'howdah')"
_NOT_OF_EXTENSION = (
    "NOT EXISTS (SELECT FROM pg_depend e"
    " WHERE e.deptype = 'e' AND e.classid = '{}'::regclass AND e.objid = {})"
)
_STRUCTURE = (
    f"SELECT 'namespace', nspname, nspacl::text, '' FROM pg_namespace n WHERE {_OURS}",
    "SELECT 'extension', extname, extversion, '' FROM pg_extension",
    f"""SELECT 'relation', c.oid::regclass::text, c.relkind::text,
               concat_ws(' ', c.relpersistence, c.relrowsecurity, c.relreplident, c.reloptions::text, c.relacl::text,
                         pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid),
                         (SELECT string_agg(inhparent::regclass::text, ',') FROM pg_inherits WHERE inhrelid = c.oid),
                         CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END, obj_description(c.oid))
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {_OURS} AND {_NOT_OF_EXTENSION.format("pg_class", "c.oid")} AND c.relkind NOT IN ('t', 'i', 'I')""",
    f"""SELECT 'column', c.oid::regclass::text, a.attname,
               concat_ws(' ', row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
                         format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
                         pg_get_expr(d.adbin, d.adrelid), a.attacl::text, col_description(c.oid, a.attnum))
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE {_OURS} AND c.relkind IN ('r', 'p', 'v', 'm', 'c')""",
    f"""SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid),
               concat_ws(' ', i.indisvalid, i.indisready, i.indisclustered, i.indisreplident)
          FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {_OURS}""",
    f"""SELECT 'constraint', concat_ws(' ', nullif(k.conrelid, 0)::regclass, nullif(k.contypid, 0)::regtype), k.conname,
               concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated, k.conislocal)
          FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE {_OURS}""",
    f"""SELECT 'function', p.oid::regprocedure::text, obj_description(p.oid),
               concat(CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END, p.proacl)
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE {_OURS} AND {_NOT_OF_EXTENSION.format("pg_proc", "p.oid")}""",
    f"""SELECT 'trigger', t.tgrelid::regclass::text, t.tgname, pg_get_triggerdef(t.oid) || t.tgenabled::text
          FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {_OURS} AND NOT t.tgisinternal""",
    f"""SELECT 'type', t.oid::regtype::text, t.typtype::text,
               concat_ws(' ', t.typnotnull, t.typdefault, nullif(t.typbasetype, 0)::regtype,
                         (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum
                           WHERE enumtypid = t.oid))
          FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
         WHERE {_OURS} AND t.typtype IN ('e', 'd', 'r')""",
    f"""SELECT 'sequence', s.seqrelid::regclass::text, s.seqtypid::regtype::text,
               concat_ws(' ', s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle)
          FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {_OURS}""",
    f"""SELECT 'policy', polrelid::regclass::text, polname,
               concat_ws(' ', polcmd, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
          FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {_OURS}""",
    """SELECT 'setting', d.datname, s.setconfig::text, ''
         FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()""",
)
_TABLES = f"""SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE {_OURS} AND c.relkind = 'r'"""


def fingerprint(database: DatabaseConfig) -> frozenset[str]:
    """The structure and all rows, a line each; compare two of them with ==, pytest shows what differs."""
    lines: list[str] = []
    with connect(database) as connection:
        # Every name comes out qualified.
        connection.execute("SET search_path = ''")
        for query in _STRUCTURE:
            lines += [" | ".join(str(each) for each in row) for row in connection.execute(query)]
        for (table,) in connection.execute(_TABLES).fetchall():
            rows = connection.execute(f"SELECT t::text FROM ONLY {table} t ORDER BY 1".encode())
            # Numbered, so that a row that is there twice is seen.
            lines += [f"row {number} of {table}: {row}" for number, (row,) in enumerate(rows, 1)]
    # Databases are named by the test; a name must not make two of them differ.
    return frozenset(line.replace(database.database, "DATABASE") for line in lines)


def differences(one: frozenset[str], other: frozenset[str]) -> list[str]:
    """What only one of two has, sorted, for a message."""
    return sorted([f"- {line}" for line in one - other] + [f"+ {line}" for line in other - one])
