"""howdah and the real Flyway take turns on one database.

No package registry that the tests use has Flyway. Where HOWDAH_FLYWAY names its command line, these tests run.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fingerprint import differences, fingerprint
from fix_db import connect
from fix_migrations import scalar
from howdah.config.database import DatabaseConfig
from howdah.errors import DirtyDatabase, HistoryMismatch, MigrationFailed
from howdah.migrate.events import Event, WaitingForLock
from howdah.migrate.migrator import Migrator

PROGRAM = os.environ.get("HOWDAH_FLYWAY", "")
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not PROGRAM, reason="HOWDAH_FLYWAY names no Flyway"),
]

MakeDatabase = Callable[[], DatabaseConfig]

FILES: Mapping[str, bytes] = {
    "V1__create_a.sql": b"CREATE TABLE a(id int);\nSELECT 1;\n",
    "sub/V1_1__create_b.sql": b"create table b(id int);\r\n",
    "V2_0__mark.sql": b"\xef\xbb\xbfcreate table c(id int);",
    "V3__index.sql": b"create index concurrently b_i on b(id);\n",
    "V003.1__Ümläute und mehr.sql": 'create table "ü"(id int);'.encode(),
    "V10.sql": b"insert into a values (1);",
    "V11__.sql": b"insert into a values (2);",
    "V12__outside.sql": b"vacuum a;\ncreate table d(id int);\n",
    "V12__outside.sql.conf": b"executeInTransaction=false\n",
    "V13__body.sql": b"create function f() returns int language sql as $$ select 1; select 2; $$;\n",
    "R__views.sql": b"create or replace view v as select 1 as x;\n",
    "R__a_second.sql": b"create or replace view w as select 1 as x;\n",
}
TARGETS = ("1", "1.1", "2", "3", "3.1", "10", "11", "12")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "sql"
    for name, raw in FILES.items():
        add(directory, name, raw)
    return directory


def add(directory: Path, name: str, raw: bytes) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


def start_flyway(
    database: DatabaseConfig, directory: Path, *words: str, transactional_lock: bool = False
) -> subprocess.Popen[str]:
    """Start Flyway; with its own default lock it would wait for itself at CREATE INDEX CONCURRENTLY (since 9.1.2)."""
    address = {
        "FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK": str(transactional_lock).lower(),
        "FLYWAY_URL": f"jdbc:postgresql://{database.host}:{database.port}/{database.database}",
        "FLYWAY_USER": database.user,
        "FLYWAY_PASSWORD": database.password.reveal() if database.password else "",
        "FLYWAY_LOCATIONS": f"filesystem:{directory}",
    }
    return subprocess.Popen(
        [PROGRAM, *words],
        env={**os.environ, **address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def try_flyway(database: DatabaseConfig, directory: Path, *words: str) -> tuple[int, str]:
    process = start_flyway(database, directory, *words)
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def flyway(database: DatabaseConfig, directory: Path, *words: str) -> str:
    """What Flyway says; the test fails where it fails."""
    code, said = try_flyway(database, directory, *words)
    assert code == 0, said
    return said


def howdah(database: DatabaseConfig, directory: Path, events: list[Event] | None = None) -> Migrator:
    kept = events if events is not None else []
    return Migrator(database=database, directory=directory, format="flyway", on_event=kept.append)


def rows(database: DatabaseConfig) -> list[tuple[object, ...]]:
    """The history without times."""
    with connect(database) as connection:
        return connection.execute(
            "SELECT installed_rank, version, description, type, script, checksum, installed_by, success"
            " FROM flyway_schema_history ORDER BY installed_rank"
        ).fetchall()


def content(database: DatabaseConfig) -> frozenset[str]:
    """Everything else in the database."""
    return frozenset(
        line for line in fingerprint(database) if " of public.flyway_schema_history: " not in line
    )


def test_each_finishes_what_the_other_began_at_every_version(
    directory: Path, make_database: MakeDatabase
) -> None:
    alone = make_database()
    flyway(alone, directory, "migrate")
    for target in TARGETS:
        theirs_first, ours_first = make_database(), make_database()

        flyway(theirs_first, directory, f"-target={target}", "migrate")
        howdah(theirs_first, directory).up()

        howdah(ours_first, directory).up(to=target)
        flyway(ours_first, directory, "migrate")

        for database in (theirs_first, ours_first):
            assert {each[1:] for each in rows(database)} == {each[1:] for each in rows(alone)}
            assert [each[0] for each in rows(database)] == [each[0] for each in rows(alone)]
            assert not differences(content(alone), content(database))
            flyway(database, directory, "validate")
            assert howdah(database, directory).up() == []


def test_both_see_the_same_in_files_that_changed(directory: Path, make_database: MakeDatabase) -> None:
    theirs, ours = make_database(), make_database()
    flyway(theirs, directory, "migrate")
    howdah(ours, directory).up()
    add(directory, "R__views.sql", b"create or replace view v as select 2 as x;\n")
    add(directory, "V14__more.sql", b"create table more(id int);\n")

    flyway(theirs, directory, "migrate")
    howdah(ours, directory).up()
    assert rows(ours) == rows(theirs)

    for database in (theirs, ours):
        flyway(database, directory, "validate")
        assert howdah(database, directory).up() == []

    add(directory, "V14__more.sql", b"create table more(id bigint);\n")
    for database in (theirs, ours):
        assert try_flyway(database, directory, "migrate")[0] != 0
        with pytest.raises(HistoryMismatch):
            howdah(database, directory).up()
    add(directory, "V14__more.sql", b"create table more(id int);\r\n")
    add(directory, "V13.5__late.sql", b"select 1;\n")
    for database in (theirs, ours):
        assert try_flyway(database, directory, "migrate")[0] != 0
        with pytest.raises(HistoryMismatch):
            howdah(database, directory).up()


def test_what_either_leaves_half_done_stops_both_until_it_is_put_right_by_either(
    directory: Path, make_database: MakeDatabase
) -> None:
    add(directory, "V15__bad.sql", b"drop index concurrently b_i;\ndrop index concurrently nowhere;\n")
    for fails in ("theirs", "ours"):
        for mends in ("theirs", "ours"):
            database = make_database()
            if fails == "theirs":
                assert try_flyway(database, directory, "migrate")[0] != 0
            else:
                with pytest.raises(MigrationFailed):
                    howdah(database, directory).up()
            assert [each[1] for each in rows(database) if not each[7]] == ["15"]
            code, said = try_flyway(database, directory, "migrate")
            assert code != 0, said
            # What a run of ours left is gone on with, and meets the same.
            with pytest.raises(DirtyDatabase if fails == "theirs" else MigrationFailed):
                howdah(database, directory).up()

            if mends == "theirs":
                flyway(database, directory, "repair")
            else:
                howdah(database, directory).resolve("15", applied=False)

            assert all(each[7] for each in rows(database))
            assert [each.migration.version for each in howdah(database, directory).plan().steps] == [
                "15",
                "R__a_second",
                "R__views",
            ]


def test_either_goes_on_behind_the_others_baseline(directory: Path, make_database: MakeDatabase) -> None:
    theirs, ours = make_database(), make_database()
    for database in (theirs, ours):
        with connect(database) as connection:
            connection.execute("CREATE TABLE a (id int)")
            connection.execute("CREATE TABLE b (id int)")
    flyway(theirs, directory, "-baselineVersion=1.1", "baseline")
    howdah(ours, directory).baseline("1.1")

    assert [each[:6] for each in rows(ours)] == [each[:6] for each in rows(theirs)]

    howdah(theirs, directory).up()
    flyway(ours, directory, "migrate")
    assert [each[:6] for each in rows(ours)] == [each[:6] for each in rows(theirs)]


def test_placeholders_are_put_in_alike(directory: Path, make_database: MakeDatabase) -> None:
    theirs, ours = make_database(), make_database()
    add(
        directory,
        "V20__values.sql",
        b"insert into a values (${one}); -- ${ONE}\nselect $${one}$$;\n",
    )
    add(directory, "R__views.sql", b"create or replace view v as select ${one} as x;\n")

    flyway(theirs, directory, "-placeholders.one=7", "migrate")
    Migrator(database=ours, directory=directory, format="flyway", variables={"one": "7"}).up()

    assert rows(ours) == rows(theirs)
    assert not differences(content(theirs), content(ours))


@pytest.mark.parametrize("transactional_lock", [False, True])
def test_they_wait_for_each_other(tmp_path: Path, database: DatabaseConfig, transactional_lock: bool) -> None:
    add(tmp_path, "V1__slow.sql", b"select pg_sleep(3);\n")
    is_sleeping = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND query LIKE 'select pg_sleep%'"
    )
    theirs = start_flyway(database, tmp_path, "migrate", transactional_lock=transactional_lock)
    _wait_for(database, is_sleeping)
    events: list[Event] = []
    howdah(database, tmp_path, events).up()
    said, _ = theirs.communicate(timeout=60)
    assert theirs.returncode == 0, said
    assert any(isinstance(each, WaitingForLock) for each in events)

    with connect(database) as connection:
        connection.execute("DELETE FROM flyway_schema_history")
    ours = threading.Thread(target=howdah(database, tmp_path).up)
    ours.start()
    _wait_for(database, is_sleeping)
    theirs = start_flyway(database, tmp_path, "migrate", transactional_lock=transactional_lock)
    said, _ = theirs.communicate(timeout=60)
    assert theirs.returncode == 0, said
    ours.join()
    assert [each[1] for each in rows(database)] == ["1"]


def _wait_for(database: DatabaseConfig, query: str) -> None:
    deadline = time.monotonic() + 60
    while not scalar(database, query):
        assert time.monotonic() < deadline
        time.sleep(0.02)
