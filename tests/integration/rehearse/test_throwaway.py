"""A throwaway server: gone at the end, whatever happens; or a database on a server that somebody names."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from fix_cli import clean_environ
from fix_db import connect
from fix_migrations import WriteMigrations, tables
from fix_server import RunningServer
from howdah.config.database import Secret
from howdah.errors import RefusedError
from howdah.rehearse.replay import Surroundings, read_surroundings, replaying
from howdah.rehearse.throwaway import Throwaway, throwaway
from howdah.schema.compare import compare
from howdah.schema.snapshot import Snapshot
from howdah.server.choice import Need

_HOLD = """
import sys
from howdah.rehearse.throwaway import throwaway
from howdah.server.choice import Need
with throwaway(Need()) as server:
    print(server.address.port, flush=True)
    sys.stdin.read()
"""


def replay(server: Throwaway, directory: Path, *, to: str | None = None) -> Snapshot:
    """What migrations build on an empty database, as far as `to`."""
    with replaying(server, "golang-migrate", directory) as run:
        run.up(to=to)
        return run.snapshot()


@pytest.fixture
def environ(open_path: Path) -> Mapping[str, str]:
    """Where throwaway servers of this test are."""
    return {"HOWDAH_STATE_DIR": str(open_path)}


def left_in(place: Path) -> list[str]:
    """What is there, but the data directory that is kept for the next server."""
    return [each.name for each in place.iterdir() if each.name != "programs"]


def databases_of(server: RunningServer) -> list[str]:
    with connect(server.address) as connection:
        query = "SELECT datname FROM pg_database WHERE datname ~ '^howdah_rehearse'"
        return [name for (name,) in connection.execute(query)]


def test_a_server_is_started_and_nothing_is_left_of_it(environ: Mapping[str, str], open_path: Path) -> None:
    with throwaway(Need(), environ=environ) as server:
        assert server.is_ours
        with server.database() as database, connect(database) as connection:
            connection.execute("CREATE TABLE a ()")
        assert left_in(open_path)
    assert left_in(open_path) == []


def test_it_is_gone_after_an_error_too(environ: Mapping[str, str], open_path: Path) -> None:
    def fail() -> None:
        with throwaway(Need(), environ=environ):
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert left_in(open_path) == []


def test_the_server_of_a_killed_process_is_removed_by_the_next(
    environ: Mapping[str, str], open_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD],
        env={**clean_environ(), **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        left = set(left_in(open_path))
        with throwaway(Need(), environ=environ):
            # One that is in use stays.
            assert left <= set(left_in(open_path))
        os.kill(process.pid, signal.SIGKILL)
    with throwaway(Need(), environ=environ):
        assert not left & set(left_in(open_path))
    assert left_in(open_path) == []


def test_the_second_server_begins_with_a_copy_of_what_is_kept(
    environ: Mapping[str, str], open_path: Path
) -> None:
    for _ in range(2):
        with throwaway(Need(), environ=environ) as server, server.database() as database:
            with connect(database) as connection:
                assert connection.execute("SELECT to_regclass('a')").fetchone() == (None,)
            with connect(replace(database, database="template1")) as connection:
                connection.execute("CREATE TABLE a ()")
    assert len(list((open_path / "programs").glob("data-*"))) == 1


def test_several_servers_may_be_started_at_once_where_nothing_is_kept_yet(
    environ: Mapping[str, str], open_path: Path
) -> None:
    def start() -> int:
        with throwaway(Need(), environ=environ) as server, connect(server.address) as connection:
            return connection.info.server_version

    with ThreadPoolExecutor(3) as pool:
        versions = [each.result() for each in [pool.submit(start) for _ in range(3)]]
    assert len(set(versions)) == 1
    assert left_in(open_path) == []
    assert len(list((open_path / "programs").glob("data-*"))) == 1


def test_what_is_kept_and_damaged_is_not_used(environ: Mapping[str, str], open_path: Path) -> None:
    with throwaway(Need(), environ=environ):
        pass
    (kept,) = (open_path / "programs").glob("data-*")
    shutil.rmtree(kept / "data")
    with throwaway(Need(), environ=environ) as server, connect(server.address) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_major_version_is_that_of_the_need_where_it_is_here(environ: Mapping[str, str]) -> None:
    for major in (15, 18):
        with throwaway(Need(major), environ=environ) as server:
            assert server.version.startswith(f"{major}."), server.notes


def test_standins_take_the_place_of_extensions_that_are_not_here(
    environ: Mapping[str, str], write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"1_a.up.sql": 'CREATE EXTENSION "uuid-ossp"; SELECT uuid_generate_v4();'})
    with throwaway(Need(extensions=frozenset({"uuid-ossp"})), environ=environ) as server:
        assert "extension" in {each.kind for each in replay(server, directory).objects}


@pytest.fixture
def existing(server: RunningServer) -> Throwaway:
    with throwaway(Need(), at=server.address) as found:
        return found


def test_on_a_given_server_a_database_is_made_and_dropped(existing: Throwaway, server: RunningServer) -> None:
    with existing.database() as database:
        assert database.database in databases_of(server)
        # Somebody still looks at it.
        with connect(database):
            pass
    assert databases_of(server) == []


def test_a_role_that_may_not_make_a_database_is_told(existing: Throwaway, server: RunningServer) -> None:
    with connect(server.address) as connection:
        connection.execute("CREATE ROLE h6_poor LOGIN PASSWORD 'x'")
    try:
        poor = replace(server.address, user="h6_poor", password=Secret("x"))
        with (
            pytest.raises(RefusedError) as caught,
            throwaway(Need(), at=poor) as found,
            found.database(),
        ):
            pass
        assert caught.value.code == "no-throwaway-database"
    finally:
        with connect(server.address) as connection:
            connection.execute("DROP ROLE h6_poor")


def test_a_replay_goes_as_far_as_it_is_told(existing: Throwaway, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(tables(3))
    one = replay(existing, directory, to="1")
    both = replay(existing, directory, to="2")
    assert [str(each) for each in compare(one, both)] == ["+ table public.t2"]


def test_a_migration_that_fails_from_nothing_is_told(
    existing: Throwaway, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"1_a.up.sql": "ALTER TABLE made_by_hand ADD COLUMN i int"})
    with pytest.raises(RefusedError) as caught:
        replay(existing, directory)
    assert caught.value.code == "replay-failed"
    assert 'relation "made_by_hand" does not exist' in caught.value.message


def test_roles_that_setup_makes_are_made_on_a_server_of_our_own_only(
    environ: Mapping[str, str], existing: Throwaway, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({**tables(1), "002_g.up.sql": 'GRANT SELECT ON t1 TO "h6 app", h6_other'})
    with pytest.raises(RefusedError):
        replay(existing, directory)
    with throwaway(Need(), environ=environ) as server:
        replay(server, directory)


def test_the_surroundings_of_a_live_database_are_there(
    existing: Throwaway, server: RunningServer, write_migrations: WriteMigrations
) -> None:
    with existing.database() as database, connect(database) as connection:
        connection.execute("CREATE SCHEMA app; SET search_path = app, public")
        found = read_surroundings(connection)
    assert found == Surroundings("app", "app, public", ())
    with replaying(existing, "golang-migrate", write_migrations(tables(1)), surroundings=found) as run:
        run.up()
        assert run.history_table() == ("app", "schema_migrations")
        names = [each.name for each in run.snapshot().objects if each.kind == "table"]
        assert names == ["app.t1"]
        assert run.row_counts() == {}
