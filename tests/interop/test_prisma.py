"""howdah and the real Prisma Migrate take turns on one database.

Prisma's native engine cannot be had from a package registry. What runs here is the same engine inside its CLI, over
a driver adapter: it takes no lock, so nothing is said of runs at the same time.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fingerprint import differences, fingerprint
from fix_db import connect
from fix_peers_tools import plain_url
from howdah.config.database import DatabaseConfig
from howdah.errors import DirtyDatabase, MigrationFailed
from howdah.migrate.events import Event
from howdah.migrate.migrator import Migrator
from peers import TOOLS

pytestmark = [
    pytest.mark.interop,
    pytest.mark.proves(
        "odd names, files and histories of its own kind",
        peer="prisma",
        tool="prisma",
        format="prisma",
    ),
]

MakeDatabase = Callable[[], DatabaseConfig]

SCRIPTS = {
    "0_init": "-- CreateTable\nCREATE TABLE one (id int);\nCREATE TABLE more (id int);\n",
    "20240101000000_crlf": "CREATE TABLE two (\r\n  id int\r\n);\r\n",
    "20240102000000_index": "CREATE INDEX CONCURRENTLY one_id ON one (id);\n",
    "20240103000000_ümläut": "INSERT INTO one VALUES (1);\nCREATE VIEW seen AS SELECT * FROM one;\n",
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "migrations"
    directory.mkdir()
    (directory / "migration_lock.toml").write_text('provider = "postgresql"\n')
    for name, text in SCRIPTS.items():
        add(directory, name, text)
    return directory


def add(directory: Path, name: str, text: str) -> None:
    (directory / name).mkdir(exist_ok=True)
    (directory / name / "migration.sql").write_bytes(text.encode())


def up_to(directory: Path, name: str) -> Path:
    """The same migrations without those behind one: Prisma applies all that it sees."""
    shorter = directory.with_name(f"until-{name}")
    shorter.mkdir()
    for each in list(SCRIPTS)[: list(SCRIPTS).index(name) + 1]:
        add(shorter, each, SCRIPTS[each])
    return shorter


def prisma(database: DatabaseConfig, directory: Path, *words: str) -> str:
    """What `prisma migrate WORDS` says; the test fails where it fails."""
    code, said = try_prisma(database, directory, *words)
    assert code == 0, said
    return said


def try_prisma(database: DatabaseConfig, directory: Path, *words: str) -> tuple[int, str]:
    address = {"DATABASE_URL": plain_url(database), "MIGRATIONS": str(directory)}
    ran = subprocess.run(
        [TOOLS["prisma"].path(), "migrate", *words],
        cwd=TOOLS["prisma"].path().parent,
        env={**os.environ, **address},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ran.returncode, ran.stdout + ran.stderr


def howdah(database: DatabaseConfig, directory: Path) -> Migrator:
    events: list[Event] = []
    return Migrator(database=database, directory=directory, format="prisma", on_event=events.append)


def rows(database: DatabaseConfig) -> list[tuple[object, ...]]:
    """The history without ids and times."""
    with connect(database) as connection:
        return connection.execute(
            "SELECT migration_name, checksum, finished_at IS NOT NULL, logs, rolled_back_at IS NOT NULL,"
            " applied_steps_count FROM _prisma_migrations ORDER BY started_at, migration_name"
        ).fetchall()


def content(database: DatabaseConfig) -> frozenset[str]:
    """Everything else in the database."""
    return frozenset(line for line in fingerprint(database) if " of public._prisma_migrations: " not in line)


def test_each_finishes_what_the_other_began_and_leaves_the_same(
    directory: Path, make_database: MakeDatabase
) -> None:
    alone = make_database()
    prisma(alone, directory, "deploy")
    for name in list(SCRIPTS)[:-1]:
        theirs_first, ours_first = make_database(), make_database()
        shorter = up_to(directory, name)

        prisma(theirs_first, shorter, "deploy")
        howdah(theirs_first, directory).up()

        howdah(ours_first, directory).up(to=name)
        prisma(ours_first, directory, "deploy")

        for database in (theirs_first, ours_first):
            assert rows(database) == rows(alone)
            assert not differences(content(alone), content(database))
            assert "up to date" in prisma(database, directory, "status")


def test_both_apply_a_late_migration_and_do_not_mind_edited_or_missing_ones(
    directory: Path, make_database: MakeDatabase
) -> None:
    theirs, ours = make_database(), make_database()
    prisma(theirs, directory, "deploy")
    howdah(ours, directory).up()
    add(directory, "20240101120000_late", "CREATE TABLE late (id int);\n")
    add(directory, "0_init", "CREATE TABLE one (id bigint);\n")
    (directory / "20240101000000_crlf" / "migration.sql").unlink()
    (directory / "20240101000000_crlf").rmdir()

    prisma(theirs, directory, "deploy")
    howdah(ours, directory).up()

    assert rows(theirs) == rows(ours)


def test_what_either_leaves_half_done_stops_both_until_it_is_resolved_by_either(
    directory: Path, make_database: MakeDatabase
) -> None:
    bad = "20240104000000_bad"
    add(directory, bad, "DROP INDEX CONCURRENTLY one_id;\nDROP INDEX CONCURRENTLY nowhere;\n")
    for fails in ("theirs", "ours"):
        for resolves in ("theirs", "ours"):
            database = make_database()
            if fails == "theirs":
                assert try_prisma(database, directory, "deploy")[0] != 0
            else:
                with pytest.raises(MigrationFailed):
                    howdah(database, directory).up()
            assert [each[0] for each in rows(database) if not each[2]] == [bad]

            code, said = try_prisma(database, directory, "deploy")
            assert (code != 0, "P3009" in said) == (True, True)
            # What a run of ours left is gone on with, and meets the same.
            with pytest.raises(DirtyDatabase if fails == "theirs" else MigrationFailed):
                howdah(database, directory).up()

            if resolves == "theirs":
                prisma(database, directory, "resolve", "--rolled-back", bad)
                prisma(database, directory, "resolve", "--applied", bad)
            else:
                howdah(database, directory).resolve(bad, applied=False)
                howdah(database, directory).resolve(bad, applied=True)
            assert [each[2:3] + each[4:] for each in rows(database) if each[0] == bad] == [
                (False, True, 0),
                (True, False, 0),
            ]
            assert "No pending" in prisma(database, directory, "deploy")
            assert howdah(database, directory).up() == []


def test_a_baseline_is_what_resolving_one_after_another_gives(
    directory: Path, make_database: MakeDatabase
) -> None:
    theirs, ours = make_database(), make_database()
    for database in (theirs, ours):
        with connect(database) as connection:
            connection.execute(SCRIPTS["0_init"].encode())
            connection.execute(SCRIPTS["20240101000000_crlf"].encode())
    for name in list(SCRIPTS)[:2]:
        prisma(theirs, directory, "resolve", "--applied", name)
    howdah(ours, directory).baseline("20240101000000")

    assert rows(ours) == rows(theirs)
    prisma(ours, directory, "deploy")
    howdah(theirs, directory).up()
    assert rows(ours) == rows(theirs)


def test_both_read_the_folders_in_the_same_order(directory: Path, make_database: MakeDatabase) -> None:
    for name in ("_b", "01_x", "0a_x", "2024_a", "2024_B", "2024-c", "É", "e", "f", "Zz", "z"):
        add(directory, name, "SELECT 1;\n")
    theirs, ours = make_database(), make_database()

    prisma(theirs, directory, "deploy")
    howdah(ours, directory).up()

    assert rows(ours) == rows(theirs)
