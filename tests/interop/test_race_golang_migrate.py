"""howdah and the real golang-migrate at the same moment on one database."""

from __future__ import annotations

import random
import threading
import time

import pytest

from fix_cli import Cli
from fix_db import connect
from fix_golang_migrate import GolangMigrate, as_url
from fix_migrations import WriteMigrations, history, migrator
from howdah.config.database import DatabaseConfig
from howdah.errors import HowdahError
from howdah.migrate.events import Event, Retrying
from racing import (
    CONCURRENT_INDEX,
    FILES,
    golang_migrate_program,
    howdah_library,
    howdah_program,
    invalid_indexes,
    log_rows,
    race,
)

pytestmark = [
    pytest.mark.interop,
    pytest.mark.proves(
        "several of both at once, in concurrent builds too",
        peer="golang-migrate",
        tool="migrate",
        format="golang-migrate",
    ),
]

SLOW = {"1_a.up.sql": "CREATE TABLE a (id int); SELECT pg_sleep(15);", "2_b.up.sql": "SELECT 2;"}


@pytest.mark.parametrize("seed", range(12))
def test_together_they_apply_each_migration_once(
    database: DatabaseConfig,
    write_migrations: WriteMigrations,
    golang_migrate: GolangMigrate,
    golang_migrate_pgx: GolangMigrate,
    seed: int,
) -> None:
    directory = write_migrations(FILES)
    chance = random.Random(seed)
    peers = [golang_migrate_program(golang_migrate), golang_migrate_program(golang_migrate_pgx)]
    ours = [howdah_program, howdah_library]
    runs = [
        chance.choice(ours),
        chance.choice(peers),
        *(chance.choice([*peers, *ours]) for _ in range(chance.randint(0, 6))),
    ]
    finished = race([run(database, directory) for run in runs], seed=seed)
    assert [each for each in finished if each.code != 0] == []
    assert log_rows(database) == list(range(1, 8))
    assert history(database) == [(7, False)]


@pytest.mark.parametrize("seed", range(6))
def test_a_concurrent_index_survives_a_golang_migrate_that_waits(
    database: DatabaseConfig, write_migrations: WriteMigrations, golang_migrate: GolangMigrate, seed: int
) -> None:
    directory = write_migrations({**FILES, **CONCURRENT_INDEX})
    runs = [howdah_program, howdah_library, golang_migrate_program(golang_migrate)]
    finished = race([run(database, directory) for run in runs], seed=seed)
    assert [each for each in finished if each.code != 0] == []
    assert log_rows(database) == list(range(1, 8))
    assert invalid_indexes(database) == []
    assert history(database) == [(9, False)]


@pytest.mark.parametrize("seed", range(3))
def test_where_a_build_takes_long_all_runs_end_well(
    database: DatabaseConfig, write_migrations: WriteMigrations, golang_migrate: GolangMigrate, seed: int
) -> None:
    # Three golang-migrates here end with exit code 1, a dirty history and an invalid index.
    directory = write_migrations({**FILES, **CONCURRENT_INDEX})
    migrator(database, directory).up(to=7)
    runs = [howdah_program, howdah_library, golang_migrate_program(golang_migrate)]
    with connect(database) as writer:
        writer.execute("BEGIN")
        writer.execute("LOCK TABLE log IN ROW EXCLUSIVE MODE")
        end = threading.Timer(3, lambda: writer.execute("COMMIT"))
        end.start()
        finished = race([run(database, directory) for run in runs], seed=seed)
        end.join()
    assert [each for each in finished if each.code != 0] == []
    assert invalid_indexes(database) == []
    assert history(database) == [(9, False)]


def test_howdah_steps_aside_for_a_golang_migrate_that_waits_inside_the_lock(
    database: DatabaseConfig, write_migrations: WriteMigrations, golang_migrate: GolangMigrate
) -> None:
    # golang-migrate waits for the lock in a statement, and so keeps a snapshot; the concurrent build waits for that
    # snapshot, and golang-migrate for us. A writer holds the build up until golang-migrate is there.
    directory = write_migrations({**FILES, **CONCURRENT_INDEX})
    events: list[Event] = []
    ours = migrator(database, directory, events, lock_limit_seconds=60, retry_limit_seconds=30)
    ours.up(to=7)
    errors: list[HowdahError] = []

    def go() -> None:
        try:
            ours.up()
        except HowdahError as error:
            errors.append(error)

    with connect(database) as writer:
        writer.execute("BEGIN")
        writer.execute("LOCK TABLE log IN ROW EXCLUSIVE MODE")
        thread = threading.Thread(target=go)
        thread.start()
        _wait_until_dirty(database)
        peer = golang_migrate.start(database, directory, "up")
        time.sleep(2)  # longer than deadlock_timeout: it has looked, and seen no deadlock yet
        writer.execute("COMMIT")
    thread.join(timeout=60)
    _, stderr = peer.communicate(timeout=60)
    assert errors == []
    assert peer.returncode == 0, stderr
    assert invalid_indexes(database) == []
    assert history(database) == [(9, False)]
    assert [event for event in events if isinstance(event, Retrying)]


def _wait_until_dirty(database: DatabaseConfig) -> None:
    deadline = time.monotonic() + 10
    while history(database) != [(8, True)]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_running_golang_migrate_is_waited_for_and_named(
    database: DatabaseConfig, write_migrations: WriteMigrations, golang_migrate: GolangMigrate, cli: Cli
) -> None:
    directory = write_migrations(SLOW)
    peer = golang_migrate.start(database, directory, "goto", "1")
    _wait_for_lock(database)
    options = ("--url", as_url(database), "--dir", str(directory))
    refused = cli("migrate", "up", "--lock-timeout", "0.5", *options)
    assert refused.code == 4, refused
    assert "lock-timeout" in refused.stderr
    assert "CREATE TABLE a (id int); SELECT pg_sleep(15);" in refused.stderr
    told = cli("migrate", "resolve", "1", *options)
    assert "still running: process" in told.stdout

    done = cli("migrate", "up", "--lock-timeout", "30", *options)
    assert done.code == 0, done
    assert "waiting for the migration lock, held by process" in done.stderr
    _, stderr = peer.communicate(timeout=30)
    assert peer.returncode == 0, stderr
    assert history(database) == [(2, False)]


def _wait_for_lock(database: DatabaseConfig) -> None:
    deadline = time.monotonic() + 10
    with connect(database) as connection:
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(15)%%' AND pid <> pg_backend_pid()"
            " AND datname = current_database()"
        ).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_killed_golang_migrate_whose_statement_goes_on_is_waited_for_and_then_dirty(
    database: DatabaseConfig, write_migrations: WriteMigrations, golang_migrate: GolangMigrate, cli: Cli
) -> None:
    directory = write_migrations(SLOW)
    options = ("--url", as_url(database), "--dir", str(directory))
    peer = golang_migrate.start(database, directory, "up")
    _wait_for_lock(database)
    peer.kill()
    peer.communicate()
    told = cli("migrate", "resolve", "1", *options)
    assert "still running: process" in told.stdout, told
    # The statement runs on in the server, commits, and is recorded by nobody.
    done = cli("migrate", "up", "--lock-timeout", "30", *options)
    assert done.code == 4, done
    assert "is dirty at version 1" in done.stderr
    told = cli("migrate", "resolve", "1", *options)
    assert "nothing is running any more" in told.stdout
    assert cli("migrate", "resolve", "1", "--applied", *options).code == 0
    assert cli("migrate", "up", *options).code == 0
    assert history(database) == [(2, False)]
