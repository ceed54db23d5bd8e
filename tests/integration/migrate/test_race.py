"""Many runs at once: each migration is applied once, and nobody fails but by a lock timeout that names the holder."""

from __future__ import annotations

import random
import threading
import time

import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, history, migrator
from howdah.config.database import DatabaseConfig
from howdah.errors import HowdahError, LockTimeout
from howdah.migrate.events import Event, WaitingForLock
from howdah.migrate.formats.golang_migrate import GOLANG_MIGRATE
from howdah.migrate.history import HistoryTable
from howdah.migrate.migrator import Migrator
from racing import CONCURRENT_INDEX, FILES, howdah_library, howdah_program, invalid_indexes, log_rows, race


@pytest.mark.parametrize("seed", [0, 1])
def test_up_to_eight_runs_apply_each_migration_once(
    database: DatabaseConfig, write_migrations: WriteMigrations, seed: int
) -> None:
    directory = write_migrations({**FILES, **CONCURRENT_INDEX})
    chance = random.Random(seed)
    runs = [chance.choice([howdah_program, howdah_library]) for _ in range(chance.randint(2, 8))]
    finished = race([run(database, directory) for run in runs], seed=seed)
    assert [each for each in finished if each.code != 0] == []
    assert log_rows(database) == list(range(1, 8))
    assert invalid_indexes(database) == []
    assert history(database) == [(9, False)]


def test_threads_of_one_program_apply_each_migration_once(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run = migrator(database, write_migrations(FILES), lock_limit_seconds=60)
    applied: list[str] = []
    errors: list[HowdahError] = []

    def go() -> None:
        try:
            applied.extend(each.step.migration.version for each in run.up())
        except HowdahError as error:
            errors.append(error)

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(applied) == [str(each) for each in range(1, 8)]
    assert log_rows(database) == list(range(1, 8))


def _keys(database: DatabaseConfig) -> dict[str, int]:
    """The keys of golang-migrate by who takes them."""
    table = HistoryTable(database.database, "public", "schema_migrations")
    names = ["program", "library", "program before 4.15", "library before 4.15"]
    # In the order of the documentation of `lock_keys`; it returns them sorted.
    from zlib import crc32

    parts = [
        ("public", "schema_migrations", f"/{database.database}"),
        ("public", "schema_migrations", database.database),
        ("public", f"/{database.database}"),
        ("public", database.database),
    ]
    keys = [crc32("\0".join(each).encode()) * 1486364155 % 2**32 for each in parts]
    assert sorted(keys) == list(GOLANG_MIGRATE.table.lock_keys(table))
    return dict(zip(names, keys, strict=True))


@pytest.mark.parametrize("who", ["program", "library", "program before 4.15", "library before 4.15"])
def test_who_holds_the_lock_of_golang_migrate_is_waited_for_and_named(
    database: DatabaseConfig, write_migrations: WriteMigrations, who: str
) -> None:
    events: list[Event] = []
    run = migrator(database, write_migrations(FILES), events, lock_limit_seconds=0.3)
    with connect(database) as holder:
        holder.execute("SET application_name = 'somebody else'")
        holder.execute("SELECT pg_advisory_lock(%s::bigint)", [_keys(database)[who]])
        pid = holder.info.backend_pid
        started = time.monotonic()
        with pytest.raises(LockTimeout) as caught:
            run.up()
        assert 0.3 <= time.monotonic() - started < 5
        assert f"process {pid} (somebody else), role {database.user}" in (caught.value.why or "")
        assert "pg_advisory_lock" in (caught.value.why or "")
    waits = [event for event in events if isinstance(event, WaitingForLock)]
    assert waits
    assert all(f"process {pid} (somebody else)" in event.holder for event in waits)


def test_a_run_goes_on_as_soon_as_the_holder_ends(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run = migrator(database, write_migrations(FILES), lock_limit_seconds=30)
    holder = connect(database)
    holder.execute("SELECT pg_advisory_lock(%s::bigint)", [_keys(database)["library"]])
    threading.Timer(0.5, holder.close).start()
    started = time.monotonic()
    assert len(run.up()) == len(FILES)
    assert time.monotonic() - started < 10


def _expect_lock_timeout(run: Migrator) -> None:
    with pytest.raises(LockTimeout):
        run.up()


def test_waiting_for_the_lock_holds_no_snapshot_and_half_a_lock_is_given_back(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run = migrator(database, write_migrations(FILES), lock_limit_seconds=3)
    keys = _keys(database)
    with connect(database) as holder, connect(database) as observer:
        holder.execute("SELECT pg_advisory_lock(%s::bigint)", [keys["library"]])
        thread = threading.Thread(target=_expect_lock_timeout, args=[run])
        thread.start()
        time.sleep(1)
        seen = []
        for _ in range(40):
            seen += observer.execute(
                "SELECT state, backend_xmin FROM pg_stat_activity WHERE application_name = 'howdah migrate'"
                " AND datname = current_database()"
            ).fetchall()
            time.sleep(0.01)
        thread.join()
        held = observer.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> %s",
            [holder.info.backend_pid],
        ).fetchone()
    assert seen
    idle = [state for state, xmin in seen if state == "idle" and xmin is None]
    # It polls: nearly always asleep between two tries, never inside a transaction.
    assert len(idle) > len(seen) * 0.8
    assert not any(state.startswith("idle in transaction") for state, _ in seen)
    assert held == (0,)


def test_a_second_run_waits_while_the_first_is_in_a_dirty_step(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    # An old snapshot keeps the concurrent build waiting; meanwhile the history is dirty.
    directory = write_migrations({**FILES, **CONCURRENT_INDEX})
    first, second = (migrator(database, directory, lock_limit_seconds=30) for _ in range(2))
    first.up(to=7)
    with connect(database) as old:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT count(*) FROM log")
        results: list[int] = []
        threads = []
        for run in (first, second):
            threads.append(threading.Thread(target=lambda run=run: results.append(len(run.up()))))
            threads[-1].start()
            time.sleep(0.7)
        assert history(database) == [(8, True)]
        old.execute("COMMIT")
        for thread in threads:
            thread.join()
    assert sorted(results) == [0, 2]
    assert history(database) == [(9, False)]
