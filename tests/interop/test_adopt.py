"""From one tool to another: the files, the history, and the real programs going on with both."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from changing import BY_FORMAT, run_call, run_sql, without_histories
from fingerprint import differences, fingerprint
from fix_cli import Cli, Ran
from fix_db import connect
from fix_golang_migrate import CHAIN, GolangMigrate, as_url
from fix_migrations import WriteMigrations, tables
from fix_peers import MakeDatabase
from fix_peers_tools import Peer
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig
from howdah.migrate.convert import WRITERS, convert
from howdah.migrate.formats import find_format

pytestmark = pytest.mark.interop


@pytest.fixture
def goose() -> Peer:
    return BY_FORMAT["goose"]


class Adopting:
    """`adopting("--to", "goose")` in a database at the end of a chain that the real golang-migrate ran."""

    def __init__(self, cli: Cli, server: RunningServer, database: DatabaseConfig, directory: Path) -> None:
        self.cli = cli
        self.database = database
        self.directory = directory
        self.out = directory.with_name("migrations-goose")
        self._common = ["--url", as_url(database), "--rehearse-url", as_url(server.address)]

    def __call__(self, *arguments: str, url: str | None = None) -> Ran:
        common = ["--url", url, *self._common[2:]] if url else self._common
        return self.cli("migrate", "adopt", *arguments, "--dir", str(self.directory), *common)

    def to_goose(self, *arguments: str) -> Ran:
        return self("--from", "golang-migrate", "--to", "goose", *arguments)


@pytest.fixture
def adopting(
    cli: Cli, server: RunningServer, database: DatabaseConfig, write_migrations: WriteMigrations
) -> Adopting:
    return Adopting(cli, server, database, write_migrations({}))


def test_goose_goes_on_where_golang_migrate_stopped(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate, goose: Peer
) -> None:
    write_migrations(CHAIN)
    database = adopting.database
    assert golang_migrate(database, adopting.directory, "goto", "20").code == 0
    before = fingerprint(database)
    refused = adopting.to_goose()
    assert refused.code == 5, refused
    assert "unproved-migration" in refused.stderr
    assert "--vouch 14" in refused.stderr

    planned = adopting.to_goose("--vouch", "14")
    assert planned.code == 0, planned
    assert differences(before, fingerprint(database)) == []
    done = adopting.to_goose("--vouch", "14", "--apply")
    assert done.code == 0, done
    assert without_histories(database) == frozenset(
        line for line in before if "schema_migrations" not in line
    )

    # Everything but 21 is applied, in the order of the numbers.
    status = run_call(goose.status(database, adopting.out))
    assert status.stderr.count("Pending") == 1, status
    up = run_call(goose.up(database, adopting.out, None))
    assert "000021_keys.sql" in up.stderr, up
    assert goose.is_content(run_call(goose.status(database, adopting.out)))
    for _ in CHAIN:
        down = run_call(goose.down(database, adopting.out, 0))
        if down.code:
            assert "no current version found" in down.stderr, down
            break
    again = run_call(goose.up(database, adopting.out, None))
    assert again.code == 0, again


def test_what_goose_builds_from_the_new_files_is_what_golang_migrate_built(
    adopting: Adopting,
    write_migrations: WriteMigrations,
    make_database: MakeDatabase,
    golang_migrate: GolangMigrate,
    goose: Peer,
) -> None:
    write_migrations(CHAIN)
    database, other = adopting.database, make_database()
    golang_migrate(database, adopting.directory, "up")
    assert adopting.to_goose("--vouch", "14", "--apply").code == 0
    ran = run_call(goose.up(other, adopting.out, None))
    assert ran.code == 0, ran
    run_sql(database, "DROP TABLE schema_migrations_before_goose")
    mine = frozenset(line for line in fingerprint(database) if "goose_db_version" not in line)
    theirs = frozenset(line for line in fingerprint(other) if "goose_db_version" not in line)
    # 14 sets a variable of its session; goose has a connection for each file.
    assert [line for line in differences(mine, theirs) if "flag" not in line] == []


def test_the_undo_that_is_printed_brings_the_old_tool_back(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate
) -> None:
    write_migrations(tables(3))
    golang_migrate(adopting.database, adopting.directory, "goto", "2")
    before = fingerprint(adopting.database)
    done = adopting.to_goose("--apply", "--json")
    assert done.json["data"]["done"] is True
    assert done.json["data"]["applied"] == ["1", "2"]
    run_sql(adopting.database, done.json["data"]["undo"])
    assert differences(before, fingerprint(adopting.database)) == []
    assert golang_migrate.version(adopting.database, adopting.directory) == "2"
    assert golang_migrate(adopting.database, adopting.directory, "up").code == 0
    # and it may be adopted again
    assert adopting.to_goose("--apply").code == 0


def test_the_undo_refuses_once_the_new_tool_has_gone_on(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate, goose: Peer
) -> None:
    write_migrations(tables(3))
    golang_migrate(adopting.database, adopting.directory, "goto", "2")
    undo = adopting.to_goose("--apply", "--json").json["data"]["undo"]
    assert run_call(goose.up(adopting.database, adopting.out, None)).code == 0
    with pytest.raises(Exception, match="applied or reverted since"):
        run_sql(adopting.database, undo)
    assert goose.is_content(run_call(goose.status(adopting.database, adopting.out)))


def test_a_dirty_history_is_refused(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate
) -> None:
    write_migrations({**tables(1), "002_x.up.sql": "SELECT 1 / 0"})
    assert golang_migrate(adopting.database, adopting.directory, "up").code == 1
    ran = adopting.to_goose("--apply")
    assert ran.code == 4
    assert "dirty-database" in ran.stderr
    assert not adopting.out.exists()


def test_a_file_that_golang_migrate_passed_by_is_found(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate
) -> None:
    files = tables(4)
    late = {name: files.pop(name) for name in list(files) if name.startswith("002")}
    write_migrations(files)
    golang_migrate(adopting.database, adopting.directory, "up")
    write_migrations(late)
    assert "no change" in golang_migrate(adopting.database, adopting.directory, "up").stderr
    ran = adopting.to_goose("--apply")
    assert ran.code == 5
    assert "schema-drift" in ran.stderr
    assert "not run, it seems: 2 (t2)" in ran.stderr
    # That the table may be missing does not say that the migration ran.
    allowed = adopting.to_goose("--apply", "--allow-drift", "public.t2")
    assert "unproved-migration" in allowed.stderr
    assert "2 (t2): the database lacks" in allowed.stderr
    vouched = adopting.to_goose("--apply", "--allow-drift", "public.t2", "--vouch", "2")
    assert vouched.code == 0, vouched


def test_a_file_that_howdah_knows_to_be_passed_by_is_refused(
    adopting: Adopting, write_migrations: WriteMigrations
) -> None:
    files = tables(3)
    late = {name: files.pop(name) for name in list(files) if name.startswith("002")}
    write_migrations(files)
    common = ["--url", as_url(adopting.database), "--dir", str(adopting.directory)]
    assert adopting.cli("migrate", "up", *common, "--format", "golang-migrate").code == 0
    write_migrations(late)
    ran = adopting.to_goose("--apply")
    assert ran.code == 4
    assert "out-of-order-migration" in ran.stderr


def test_drift_is_listed_and_may_be_allowed_by_name(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate
) -> None:
    write_migrations(tables(2))
    golang_migrate(adopting.database, adopting.directory, "up")
    run_sql(adopting.database, "CREATE TABLE by_hand (); CREATE INDEX by_hand_idx ON t1 (name)")
    ran = adopting.to_goose()
    assert ran.code == 5
    assert "+ table public.by_hand" in ran.stderr
    assert "--allow-drift public.by_hand_idx" in ran.stderr
    allowed = adopting.to_goose("--allow-drift", "public.by_hand", "--allow-drift", "public.by_hand_idx")
    assert allowed.code == 0, allowed
    assert "as allowed: + table public.by_hand" in allowed.stdout


def test_files_corrected_by_hand_are_taken_and_proved(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate
) -> None:
    write_migrations(tables(2))
    golang_migrate(adopting.database, adopting.directory, "up")
    assert adopting.to_goose().code == 0
    file = adopting.out / "002_t2.sql"
    file.write_text("-- by hand\n" + file.read_text())
    assert adopting.to_goose().code == 0
    assert file.read_text().startswith("-- by hand")
    file.write_text(file.read_text().replace("name text", "name text NOT NULL"))
    ran = adopting.to_goose("--apply")
    assert ran.code == 5
    assert "conversion-differs" in ran.stderr
    assert "column public.t2.name: text -> text NOT NULL" in ran.stderr
    (adopting.out / "003_more.sql").write_text("-- +goose Up\n")
    assert "conversion-outdated" in adopting.to_goose().stderr


def test_parameters_of_the_old_tool_are_told(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate
) -> None:
    write_migrations(tables(2))
    parameters = {"x-migrations-table": "my_history", "x-multi-statement": "true"}
    golang_migrate(adopting.database, adopting.directory, "up", parameters=parameters)
    url = golang_migrate.url(adopting.database, parameters)
    ran = adopting("--from", "golang-migrate", "--to", "goose", "--apply", url=url)
    assert ran.code == 0, ran
    assert "goose does not know x-migrations-table, x-multi-statement" in ran.stderr
    assert '"my_history_before_goose"' in ran.stdout


def test_the_new_history_belongs_to_the_owner_of_the_old_one(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate
) -> None:
    write_migrations(tables(1))
    golang_migrate(adopting.database, adopting.directory, "up")
    run_sql(adopting.database, "CREATE ROLE h6_owner; GRANT CREATE ON SCHEMA public TO h6_owner;")
    try:
        run_sql(adopting.database, "ALTER TABLE schema_migrations OWNER TO h6_owner")
        assert adopting.to_goose("--apply").code == 0
        with connect(adopting.database) as connection:
            owner = connection.execute(
                "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'goose_db_version'"
            ).fetchone()
        assert owner == ("h6_owner",)
    finally:
        run_sql(adopting.database, "DROP OWNED BY h6_owner; DROP ROLE h6_owner")


def test_a_history_of_the_new_tool_with_rows_is_refused(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate, goose: Peer
) -> None:
    write_migrations(tables(1))
    golang_migrate(adopting.database, adopting.directory, "up")
    assert adopting.to_goose().code == 0
    run_call(goose.status(adopting.database, adopting.out))  # makes its table, with row 0 alone
    assert adopting.to_goose().code == 0
    run_sql(adopting.database, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, true)")
    assert "history-exists" in adopting.to_goose().stderr


def test_a_run_of_the_old_tool_is_waited_for(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate
) -> None:
    write_migrations(tables(2))
    golang_migrate(adopting.database, adopting.directory, "goto", "1")
    (adopting.directory / "002_t2.up.sql").write_text("SELECT pg_sleep(4); CREATE TABLE t2 (id int);")
    running = golang_migrate.start(adopting.database, adopting.directory, "up")
    ran = adopting.to_goose("--apply")
    running.communicate(timeout=30)
    # It is dirty while it runs; behind it, it is no more what was planned.
    assert ran.code in {4, 5}, ran
    with connect(adopting.database) as connection:
        assert connection.execute("SELECT version, dirty FROM schema_migrations").fetchall() == [(2, False)]


@pytest.mark.parametrize(("start", "to"), list(itertools.permutations(sorted(WRITERS), 2)))
def test_every_tool_can_be_left_for_every_other(
    adopting: Adopting,
    write_migrations: WriteMigrations,
    golang_migrate: GolangMigrate,
    start: str,
    to: str,
) -> None:
    old, new = BY_FORMAT[start], BY_FORMAT[to]
    database = adopting.database
    # Its last migration adds a label to an enum, which its down half cannot take back.
    chain = {name: body for name, body in CHAIN.items() if not name.startswith("000021")}
    source = find_format("golang-migrate").files.read(write_migrations(chain))
    directory = adopting.directory.with_name("old")
    directory.mkdir()
    files = convert(find_format("golang-migrate"), source, find_format(start)).files
    for name, text in files.items():
        (directory / name).write_bytes(text.encode())
    ran = run_call(old.up(database, directory, None))
    assert ran.code == 0, ran
    adopting.directory, adopting.out = directory, directory.with_name(f"old-{to}")
    before = without_histories(database)
    done = adopting("--from", start, "--to", to, "--apply", "--vouch", "14", "--vouch", "000014", "--json")
    assert done.code == 0, done
    assert new.is_content(run_call(new.status(database, adopting.out)))
    assert differences(before, without_histories(database)) == []
    down = run_call(new.down(database, adopting.out, 14))
    assert down.code == 0, down
    up = run_call(new.up(database, adopting.out, None))
    assert up.code == 0, up
    run_sql(database, "UPDATE howdah.history SET body = NULL")
    status = adopting.cli(
        "migrate", "status", "--url", as_url(database), "--dir", str(adopting.out), "--format", to
    )
    assert status.code == 0, status


HOSTILE = {
    "1_comments.up.sql": "/* head;\n */\nCREATE TABLE a (i int, t text DEFAULT 'x -- y;\nz'); -- why;\n/* tail; */",
    "1_comments.down.sql": "DROP TABLE a -- no semicolon",
    "2_modes.up.sql": "START TRANSACTION ISOLATION LEVEL SERIALIZABLE; CREATE TABLE b (i int); COMMIT;",
    "2_modes.down.sql": "BEGIN; DROP TABLE b; COMMIT;",
    "3_part.up.sql": "CREATE TABLE c (i int);\nBEGIN;\nINSERT INTO c VALUES (1);\nALTER TABLE c ADD j int;\nCOMMIT;\n",
    "3_part.down.sql": "DROP TABLE c;",
    "4_function.up.sql": "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS 'BEGIN\n  RETURN ''a;'';\nEND';\n"
    "CREATE PROCEDURE p() LANGUAGE sql\nBEGIN ATOMIC\n  INSERT INTO c VALUES (2);\n  SELECT 1;\nEND;",
    "4_function.down.sql": "DROP PROCEDURE p(); DROP FUNCTION f();",
    "5_index.up.sql": "CREATE INDEX CONCURRENTLY a_i ON a (i);\nCREATE INDEX CONCURRENTLY b_i ON b (i);",
    "5_index.down.sql": "DROP INDEX a_i;\nDROP INDEX b_i;",
    "6_vacuum.up.sql": "VACUUM a;",
    "6_vacuum.down.sql": "",
    "7_crlf.up.sql": "CREATE TABLE d (\r\n  t text DEFAULT 'a\r\nb\\'\r\n);\r\n-- end\r\n",
    "7_crlf.down.sql": "DROP TABLE d;\r\n",
}


def test_files_that_break_splitters_run_alike(
    adopting: Adopting,
    write_migrations: WriteMigrations,
    make_database: MakeDatabase,
    golang_migrate: GolangMigrate,
    goose: Peer,
) -> None:
    write_migrations(HOSTILE)
    database, other = adopting.database, make_database()
    # Its own way to run a file with several concurrent builds; it cannot run the functions that way.
    assert golang_migrate(database, adopting.directory, "goto", "4").code == 0
    parameters = {"x-multi-statement": "true"}
    assert golang_migrate(database, adopting.directory, "goto", "6", parameters=parameters).code == 0
    assert golang_migrate(database, adopting.directory, "up").code == 0
    done = adopting.to_goose("--apply", "--vouch", "6")
    assert done.code == 0, done
    assert "no-lock" in done.stderr
    up = run_call(goose.up(other, adopting.out, None))
    assert up.code == 0, up
    run_sql(database, "DROP TABLE schema_migrations_before_goose")
    assert differences(without_histories(database), without_histories(other)) == []
    for _ in range(7):
        down = run_call(goose.down(other, adopting.out, 0))
        assert down.code == 0, down
    assert goose.is_content(run_call(goose.status(database, adopting.out)))


def test_without_a_server_named_one_is_started(
    adopting: Adopting, write_migrations: WriteMigrations, golang_migrate: GolangMigrate, open_path: Path
) -> None:
    write_migrations(tables(2))
    golang_migrate(adopting.database, adopting.directory, "up")
    words = ["--to", "goose", "--dir", str(adopting.directory), "--url", as_url(adopting.database)]
    ran = adopting.cli("migrate", "adopt", *words, env={"HOWDAH_STATE_DIR": str(open_path)})
    assert ran.code == 0, ran
    assert "the old and the new files build the same schema" in ran.stdout
    # Nothing is left but the empty data directory that the next one begins from.
    assert [each.name for each in open_path.iterdir()] == ["programs"]
