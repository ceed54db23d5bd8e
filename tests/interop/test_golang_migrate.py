"""howdah and the real golang-migrate take turns on one database, at every version and both ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from fingerprint import differences, fingerprint
from fix_cli import Cli
from fix_db import connect
from fix_golang_migrate import CHAIN, VERSIONS, GolangMigrate, as_url
from fix_migrations import WriteMigrations, history, migrator
from howdah.config.database import DatabaseConfig

pytestmark = [
    pytest.mark.interop,
    pytest.mark.proves(
        "odd names, files and histories of its own kind",
        peer="golang-migrate",
        tool="migrate",
        format="golang-migrate",
    ),
]

MakeDatabase = Callable[[], DatabaseConfig]
_DOWN_FROM = list(reversed(VERSIONS))


@pytest.fixture(params=["postgres", "pgx5"])
def peer(request: pytest.FixtureRequest, golang_migrate: GolangMigrate) -> GolangMigrate:
    return GolangMigrate(golang_migrate.program, request.param)


@pytest.fixture
def chain(write_migrations: WriteMigrations) -> Path:
    return write_migrations(CHAIN)


def _target(version: int | None) -> list[tuple[int, bool]]:
    return [] if version is None else [(version, False)]


def _undisturbed(
    peer: GolangMigrate, make_database: MakeDatabase, chain: Path, *arguments: str
) -> frozenset[str]:
    """The fingerprint golang-migrate alone leaves."""
    database = make_database()
    assert peer(database, chain, "up").code == 0
    if arguments:
        ran = peer(database, chain, *arguments)
        assert ran.code == 0, ran
    return fingerprint(database)


def test_each_finishes_upwards_what_the_other_began(
    peer: GolangMigrate, make_database: MakeDatabase, chain: Path
) -> None:
    expected = _undisturbed(peer, make_database, chain)
    for version in VERSIONS:
        theirs_first, ours_first = make_database(), make_database()

        ran = peer(theirs_first, chain, "goto", str(version))
        assert ran.code == 0, ran
        results = migrator(theirs_first, chain).up()
        assert [each.step.migration.version for each in results] == [
            str(each) for each in VERSIONS if each > version
        ]
        assert peer(theirs_first, chain, "up").stderr.strip() == "no change"

        migrator(ours_first, chain).up(to=version)
        assert history(ours_first) == [(version, False)]
        assert peer.version(ours_first, chain) == str(version)
        ran = peer(ours_first, chain, "up")
        assert ran.code == 0, ran
        assert migrator(ours_first, chain).up() == []

        for database in (theirs_first, ours_first):
            assert history(database) == [(VERSIONS[-1], False)]
            assert differences(expected, fingerprint(database)) == []


def test_each_finishes_downwards_what_the_other_began(
    peer: GolangMigrate, make_database: MakeDatabase, chain: Path
) -> None:
    expected = _undisturbed(peer, make_database, chain, "down", "-all")
    for version in VERSIONS[1:]:
        theirs_first, ours_first = make_database(), make_database()

        migrator(theirs_first, chain).up()
        ran = peer(theirs_first, chain, "goto", str(version))
        assert ran.code == 0, ran
        results = migrator(theirs_first, chain).down(to=0)
        assert [each.step.migration.version for each in results] == [
            str(each) for each in _DOWN_FROM if each <= version
        ]
        assert peer.version(theirs_first, chain) == "no migration"

        assert peer(ours_first, chain, "up").code == 0
        migrator(ours_first, chain).down(to=version)
        assert history(ours_first) == [(version, False)]
        assert peer.version(ours_first, chain) == str(version)
        ran = peer(ours_first, chain, "down", "-all")
        assert ran.code == 0, ran

        for database in (theirs_first, ours_first):
            assert history(database) == []
            assert differences(expected, fingerprint(database)) == []


def test_every_single_step_leaves_what_golang_migrate_leaves(
    peer: GolangMigrate, make_database: MakeDatabase, chain: Path
) -> None:
    theirs, ours = make_database(), make_database()
    for version in VERSIONS:
        peer(theirs, chain, "up", "1")
        migrator(ours, chain).up(to=version)
        assert history(ours) == history(theirs) == [(version, False)]
        assert differences(fingerprint(theirs), fingerprint(ours)) == []
    for below in [*_DOWN_FROM[1:], None]:
        peer(theirs, chain, "down", "1")
        migrator(ours, chain).down()
        assert history(ours) == history(theirs) == _target(below)
        assert differences(fingerprint(theirs), fingerprint(ours)) == []


def test_steps_alternate(peer: GolangMigrate, make_database: MakeDatabase, chain: Path) -> None:
    expected = _undisturbed(peer, make_database, chain)
    database = make_database()
    for number, version in enumerate(VERSIONS):
        if number % 2:
            assert peer(database, chain, "up", "1").code == 0
        else:
            migrator(database, chain).up(to=version)
        assert peer.version(database, chain) == str(version)
    assert differences(expected, fingerprint(database)) == []


@pytest.mark.parametrize(
    ("parameters", "table"),
    [
        ({"x-migrations-table": "moves"}, "moves"),
        ({"x-migrations-table": "odd.name"}, '"odd.name"'),
        (
            {"x-migrations-table": '"tools"."My moves"', "x-migrations-table-quoted": "true"},
            'tools."My moves"',
        ),
    ],
)
def test_another_history_table_is_shared(
    peer: GolangMigrate,
    database: DatabaseConfig,
    chain: Path,
    cli: Cli,
    parameters: dict[str, str],
    table: str,
) -> None:
    with connect(database) as connection:
        connection.execute("CREATE SCHEMA tools")
    ran = peer(database, chain, "goto", "5", parameters=parameters)
    assert ran.code == 0, ran
    url = peer.url(database, parameters)
    done = cli("migrate", "up", "--to", "12", "--url", url, "--dir", str(chain))
    assert done.code == 0, done
    assert peer.version(database, chain, parameters=parameters) == "12"
    with connect(database) as connection:
        assert connection.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,)
        assert connection.execute(f"SELECT * FROM {table}".encode()).fetchall() == [(12, False)]


def test_another_schema_by_search_path_is_shared(
    peer: GolangMigrate, database: DatabaseConfig, chain: Path, cli: Cli
) -> None:
    with connect(database) as connection:
        connection.execute("CREATE SCHEMA app")
    parameters = {"search_path": "app"}
    assert peer(database, chain, "goto", "3", parameters=parameters).code == 0
    done = cli("migrate", "up", "--url", peer.url(database, parameters), "--dir", str(chain))
    assert done.code == 0, done
    assert peer.version(database, chain, parameters=parameters) == str(VERSIONS[-1])
    with connect(database) as connection:
        assert connection.execute("SELECT version FROM app.schema_migrations").fetchall() == [(VERSIONS[-1],)]
        assert connection.execute("SELECT to_regclass('public.users')").fetchone() == (None,)
    assert peer(database, chain, "down", "-all", parameters=parameters).code == 0


BROKEN = {
    "1_a.up.sql": "CREATE TABLE a (id int);",
    "1_a.down.sql": "DROP TABLE nothing_of_that_name;",
    "2_b.up.sql": "CREATE TABLE b (id int); SELECT 1/0;",
    "2_b.down.sql": "DROP TABLE nothing_of_that_name;",
    "3_c.up.sql": "CREATE TABLE c (id int);",
    "3_c.down.sql": "DROP TABLE c;",
}


def test_what_golang_migrate_left_dirty_on_its_way_up_is_explained_and_resolved(
    peer: GolangMigrate, database: DatabaseConfig, write_migrations: WriteMigrations, cli: Cli
) -> None:
    directory = write_migrations(BROKEN)
    assert peer(database, directory, "up").code == 1
    assert history(database) == [(2, True)]
    options = ("--url", as_url(database), "--dir", str(directory))

    up = cli("migrate", "up", *options)
    assert up.code == 4, up
    assert "version 2" in up.stderr
    assert "dirty" in up.stderr
    status = cli("migrate", "status", *options)
    assert status.code == 1
    assert "2        b     dirty" in status.stdout
    told = cli("migrate", "resolve", "2", *options)
    assert told.code == 1
    assert "howdah did not run it" in told.stdout
    assert cli("migrate", "resolve", "2", "--reverted", *options).code == 0
    assert peer.version(database, directory) == "1"

    (directory / "2_b.up.sql").write_text("CREATE TABLE b (id int);")
    assert cli("migrate", "up", *options).code == 0
    assert peer.version(database, directory) == "3"


def test_what_golang_migrate_left_dirty_on_its_way_down_is_explained_and_resolved(
    peer: GolangMigrate, database: DatabaseConfig, write_migrations: WriteMigrations, cli: Cli
) -> None:
    directory = write_migrations(BROKEN)
    options = ("--url", as_url(database), "--dir", str(directory))
    migrator(database, directory).up(to=1)
    (directory / "2_b.up.sql").write_text("CREATE TABLE b (id int);")
    assert peer(database, directory, "up", "1").code == 0
    assert peer(database, directory, "down", "1").code == 1
    # golang-migrate notes where it was going to.
    assert history(database) == [(1, True)]
    told = cli("migrate", "resolve", "1", *options)
    # The failed file may be the up half of 1 or the down half of 2: both are said.
    assert "migrate resolve 1 --applied" in told.stdout
    assert "migrate resolve 2 --applied" in told.stdout
    assert cli("migrate", "resolve", "2", "--applied", *options).code == 0
    assert history(database) == [(2, False)]
    assert peer.version(database, directory) == "2"


def test_dirty_before_the_first_version_is_explained_and_resolved(
    peer: GolangMigrate, database: DatabaseConfig, write_migrations: WriteMigrations, cli: Cli
) -> None:
    directory = write_migrations(BROKEN)
    options = ("--url", as_url(database), "--dir", str(directory))
    assert peer(database, directory, "up", "1").code == 0
    assert peer(database, directory, "down", "1").code == 1
    assert history(database) == [(-1, True)]

    up = cli("migrate", "up", *options)
    assert up.code == 4, up
    assert "howdah migrate resolve 1" in up.stderr
    status = cli("migrate", "status", *options)
    assert status.code == 1, status
    assert "dirty" in status.stderr
    told = cli("migrate", "resolve", "1", *options)
    assert "howdah migrate resolve 1 --reverted" in told.stdout
    assert "-1 --" not in told.stdout

    assert cli("migrate", "resolve", "1", "--reverted", *options).code == 0
    assert history(database) == []
    assert peer.version(database, directory) == "no migration"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_forced_version_is_where_howdah_goes_on(
    peer: GolangMigrate, database: DatabaseConfig, write_migrations: WriteMigrations, version: int
) -> None:
    directory = write_migrations({**BROKEN, "2_b.up.sql": "CREATE TABLE b (id int);"})
    assert peer(database, directory, "force", str(version)).code == 0
    results = migrator(database, directory).up()
    assert [each.step.migration.version for each in results] == [str(each) for each in range(version + 1, 4)]
    assert peer(database, directory, "up").stderr.strip() == "no change"


def test_resolve_writes_what_force_writes(
    peer: GolangMigrate, make_database: MakeDatabase, chain: Path
) -> None:
    for version in VERSIONS:
        theirs, ours = make_database(), make_database()
        peer(theirs, chain, "force", str(version))
        migrator(ours, chain).baseline(version)
        assert history(ours) == history(theirs)
        lower = [each for each in VERSIONS if each < version]
        migrator(ours, chain).resolve(version, applied=False)
        peer(theirs, chain, "force", "--", str(lower[-1] if lower else -1))
        assert history(ours) == history(theirs)


def test_the_history_table_is_made_as_golang_migrate_makes_it(
    peer: GolangMigrate, make_database: MakeDatabase, chain: Path
) -> None:
    theirs, ours = make_database(), make_database()
    peer(theirs, chain, "up", "1")
    migrator(ours, chain).up(to=1)

    def only_history(database: DatabaseConfig) -> list[str]:
        return sorted(line for line in fingerprint(database) if "schema_migrations" in line)

    assert only_history(ours) == only_history(theirs)
    assert len(only_history(ours)) > 4


def test_golang_migrate_drops_all_and_howdah_starts_again(
    peer: GolangMigrate, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"1_a.up.sql": "CREATE TABLE a (id int);", "1_a.down.sql": "DROP TABLE a;"})
    migrator(database, directory).up()
    assert peer(database, directory, "drop", "-f").code == 0
    with pytest.raises(psycopg.errors.UndefinedTable):
        history(database)
    assert len(migrator(database, directory).up()) == 1
    assert peer.version(database, directory) == "1"
