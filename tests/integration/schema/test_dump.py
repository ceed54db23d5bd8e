"""dump_schema on a real server: it loads, gives the same again, and says the same for the same structure."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig, Secret
from howdah.errors import CommandError
from howdah.schema.compare import compare
from howdah.schema.dump import Dump, dump_schema, file_text, names_newest
from howdah.schema.load import load_sql
from howdah.schema.snapshot import Snapshot, read_schema

RICH = (Path(__file__).resolve().parents[2] / "cases" / "schema" / "rich.sql").read_text(encoding="utf-8")


def dump(database: DatabaseConfig, *, privileges: bool = False) -> Dump:
    with connect(database) as connection:
        return dump_schema(connection, database, privileges=privileges)


def read(database: DatabaseConfig) -> Snapshot:
    with connect(database) as connection:
        return read_schema(connection)


def run(database: DatabaseConfig, script: str) -> None:
    with connect(database) as connection:
        connection.execute(script.encode())


def load(database: DatabaseConfig, text: str) -> None:
    with connect(database) as connection:
        load_sql(connection, text, file=Path("schema.sql"), make_roles=False)


@pytest.fixture
def rich(database: DatabaseConfig) -> DatabaseConfig:
    run(database, RICH)
    return database


def test_what_is_dumped_builds_the_same_and_is_dumped_the_same(
    rich: DatabaseConfig, make_database: Callable[[], DatabaseConfig]
) -> None:
    text = file_text(dump(rich), "0042 (add_widgets)")
    other = make_database()
    load(other, text)
    assert compare(read(rich), read(other)) == ()
    assert file_text(dump(other), "0042 (add_widgets)") == text


def test_psql_loads_it(
    rich: DatabaseConfig, make_database: Callable[[], DatabaseConfig], tmp_path: Path
) -> None:
    psql = shutil.which("psql")
    if psql is None:
        pytest.skip("no psql here")
    file, other = tmp_path / "schema.sql", make_database()
    file.write_text(file_text(dump(rich), None), encoding="utf-8")
    password = other.password.reveal() if other.password else ""
    place = ["-h", other.host, "-p", other.port, "-U", other.user, other.database]
    done = subprocess.run(
        [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, *place],
        env={"PGPASSWORD": password, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert compare(read(rich), read(other)) == ()


def test_the_way_it_came_about_does_not_show(make_database: Callable[[], DatabaseConfig]) -> None:
    one, other = make_database(), make_database()
    run(one, "CREATE TABLE b (id int PRIMARY KEY, x int); CREATE TABLE a (id int REFERENCES b, y text)")
    run(one, "CREATE INDEX i2 ON b (x); CREATE INDEX i1 ON b (x)")
    run(other, "CREATE TABLE a (passing int, id int, y text); CREATE TABLE b (id int, x int)")
    run(other, "CREATE INDEX i1 ON b (x); ALTER TABLE a DROP COLUMN passing; CREATE INDEX i2 ON b (x)")
    run(other, "ALTER TABLE b ADD PRIMARY KEY (id); ALTER TABLE a ADD FOREIGN KEY (id) REFERENCES b")
    assert dump(one).text == dump(other).text


def test_a_table_stands_with_what_is_its_own(database: DatabaseConfig) -> None:
    run(
        database, "CREATE TABLE b (id serial PRIMARY KEY); CREATE TABLE a (id int UNIQUE REFERENCES b, n int)"
    )
    run(database, "CREATE INDEX by_n ON a (n); COMMENT ON COLUMN a.n IS 'how many'")
    assert dump(database).text == (
        "CREATE TABLE public.a (\n    id integer,\n    n integer\n);\n"
        "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT a_id_key UNIQUE (id);\n"
        "CREATE INDEX by_n ON public.a USING btree (n);\n"
        "COMMENT ON COLUMN public.a.n IS 'how many';\n"
        "\n"
        "CREATE TABLE public.b (\n    id integer NOT NULL\n);\n"
        "CREATE SEQUENCE public.b_id_seq\n    AS integer\n    START WITH 1\n    INCREMENT BY 1\n    NO MINVALUE\n"
        "    NO MAXVALUE\n    CACHE 1;\n"
        "ALTER SEQUENCE public.b_id_seq OWNED BY public.b.id;\n"
        "ALTER TABLE ONLY public.b ALTER COLUMN id SET DEFAULT nextval('public.b_id_seq'::regclass);\n"
        "ALTER TABLE ONLY public.b\n    ADD CONSTRAINT b_pkey PRIMARY KEY (id);\n"
        "\n"
        "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT a_id_fkey FOREIGN KEY (id) REFERENCES public.b(id);\n"
    )


def test_a_view_is_made_once_where_that_is_possible(
    database: DatabaseConfig, make_database: Callable[[], DatabaseConfig]
) -> None:
    run(
        database,
        "CREATE TABLE t (id int PRIMARY KEY, name text); CREATE VIEW v AS SELECT id, name FROM t GROUP BY id",
    )
    run(database, "CREATE VIEW w AS SELECT * FROM v; COMMENT ON VIEW v IS 'grouped'")
    run(database, "CREATE VIEW one AS SELECT 1 AS id; CREATE VIEW two AS SELECT id FROM one")
    run(database, "CREATE OR REPLACE VIEW one AS SELECT two.id FROM two")
    text = dump(database).text
    assert text.count("VIEW public.v AS") == 1
    assert text.count("VIEW public.one AS") + text.count("VIEW public.two AS") == 3, "a circle"
    other = make_database()
    load(other, text)
    assert compare(read(database), read(other)) == ()
    assert dump(other).text == text


def test_nothing_in_it_is_of_the_day_or_of_the_machine(rich: DatabaseConfig) -> None:
    text = file_text(dump(rich), "7 (x)")
    outside = text.replace("\\restrict me", "")
    assert not re.search(r"restrict|Dumped|OWNER TO|TABLESPACE|pg_catalog\.set_config|GRANT", outside)
    assert re.findall(r"^SET .*", outside, re.MULTILINE) == [
        "SET client_encoding = 'UTF8';",
        "SET check_function_bodies = false;",
    ]


def test_the_newest_migration_is_named_in_one_line() -> None:
    text = file_text(Dump(""), "42 (evil\n; DROP TABLE users; --)")
    assert names_newest(text) == "42 (evil ; DROP TABLE users; --)"
    assert text.splitlines()[2:] == [""]
    assert names_newest(file_text(Dump(""), None)) is None
    assert names_newest("-- Newest applied migration: 1\n") is None


def test_histories_and_the_side_history_are_left_out(database: DatabaseConfig) -> None:
    run(database, "CREATE TABLE kept (id int); CREATE TABLE goose_db_version_of_mine (id int)")
    before = dump(database).text
    run(database, "CREATE TABLE goose_db_version (id serial PRIMARY KEY, at timestamp); CREATE SCHEMA howdah")
    run(database, "CREATE TABLE howdah.history (id int); COMMENT ON TABLE goose_db_version IS 'theirs'")
    with connect(database) as connection:
        after = dump_schema(connection, database, leave_out=[("public", "goose_db_version")])
    assert after.text == before


def test_an_invalid_index_is_told(database: DatabaseConfig) -> None:
    run(database, "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)")
    with connect(database) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (id)")
    found = dump(database)
    assert "broken" not in found.text
    assert [each.code for each in found.notes] == ["invalid-index"]
    assert "public.broken" in found.notes[0].message


def test_an_index_that_not_every_partition_has_stays_so(
    database: DatabaseConfig, make_database: Callable[[], DatabaseConfig]
) -> None:
    run(
        database,
        "CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
    )
    run(database, "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); CREATE INDEX whole ON ONLY p (id)")
    run(database, "CREATE INDEX part ON p1 (id); ALTER INDEX whole ATTACH PARTITION part")
    other = make_database()
    load(other, dump(database).text)
    assert compare(read(database), read(other)) == ()


@pytest.mark.pg(">= 18")
def test_a_name_of_not_null_that_a_person_gave_stays(database: DatabaseConfig) -> None:
    run(database, "CREATE TABLE p (id int NOT NULL, b int CONSTRAINT mine NOT NULL) PARTITION BY LIST (id)")
    run(database, "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
    text = dump(database).text
    assert text.count("CONSTRAINT mine NOT NULL") == 2
    assert "_not_null" not in text
    with connect(database) as connection:
        assert "p_id_not_null" in dump_schema(connection, database, is_exact=True).text


def test_privileges_are_written_where_asked_for(
    database: DatabaseConfig, make_database: Callable[[], DatabaseConfig]
) -> None:
    run(database, "CREATE TABLE t (id int, secret text); GRANT SELECT (id) ON t TO public")
    run(database, "REVOKE USAGE ON SCHEMA public FROM public")
    assert "GRANT" not in dump(database).text
    text = dump(database, privileges=True).text
    assert "GRANT SELECT(id) ON TABLE public.t TO PUBLIC;" in text
    other = make_database()
    load(other, text)
    with connect(database) as one, connect(other) as two:
        assert compare(read_schema(one, privileges=True), read_schema(two, privileges=True)) == ()


def test_extensions_are_named_and_what_they_bring_is_not(
    database: DatabaseConfig, make_database: Callable[[], DatabaseConfig]
) -> None:
    with connect(database) as connection:
        offered = connection.execute("SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'").fetchone()
    if offered is None:
        pytest.skip("no extension to try it with")
    run(database, 'CREATE SCHEMA "ext s"; CREATE EXTENSION pg_trgm SCHEMA "ext s"; CREATE TABLE t (a text)')
    run(database, 'CREATE INDEX i ON t USING gin (a "ext s".gin_trgm_ops)')
    text = dump(database).text
    assert text.count("EXTENSION") == 1
    other = make_database()
    load(other, text)
    assert compare(read(database), read(other)) == ()


def test_an_empty_database_has_an_empty_dump(database: DatabaseConfig) -> None:
    assert dump(database) == Dump("")


def test_a_role_that_may_not_read_a_table_is_told_which(rich: DatabaseConfig, server: RunningServer) -> None:
    run(rich, "CREATE ROLE dump_reader LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA app TO dump_reader")
    try:
        with pytest.raises(CommandError, match="permission denied"):
            dump(replace(rich, user="dump_reader", password=Secret("x")))
    finally:
        run(rich, "DROP OWNED BY dump_reader; DROP ROLE dump_reader")


def test_another_access_method_is_kept(
    database: DatabaseConfig, make_database: Callable[[], DatabaseConfig]
) -> None:
    run(database, "CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler")
    run(database, "CREATE TABLE a (id int) USING other; CREATE TABLE b (id int)")
    other = make_database()
    load(other, dump(database).text)
    assert compare(read(database), read(other)) == ()
