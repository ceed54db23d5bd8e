"""A replica tells its sizes and is copied from: it takes no writes, and none are tried."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.migrate.migrator import Migrator
from howdah.observe.read_sizes import read_stats
from howdah.pg.programs import Programs
from howdah.rehearse.live import LiveSettings, rehearse_on_data
from howdah.rehearse.source import look_at_database
from howdah.server.local import LocalServer


@pytest.fixture
def replica(open_path: Path, pg_programs: Programs) -> Iterator[DatabaseConfig]:
    """A server in recovery: a primary's files, told to wait for what a primary sends."""
    server = LocalServer(open_path / "replica", pg_programs, settings={"fsync": "off"})
    try:
        server.start()
        with connect(server.address) as connection:
            connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
            connection.execute("INSERT INTO notes SELECT g, 'note ' || g FROM generate_series(1, 500) g")
            connection.execute("ANALYZE")
        server.stop()
        (server.data / "standby.signal").touch()
        shutil.chown(server.data / "standby.signal", server.data.owner(), server.data.group())
        server.start()
        yield server.address
    finally:
        server.destroy()


def test_a_replica_tells_its_sizes_and_is_rehearsed_on(
    replica: DatabaseConfig, open_path: Path, pg_programs: Programs, tmp_path: Path
) -> None:
    with connect(replica) as connection:
        sizes = read_stats(connection)
    assert sizes.is_replica
    assert sizes.by_name["public.notes"].rows == 500
    source = look_at_database(replica)
    assert not source.is_primary
    (tmp_path / "1_first.up.sql").write_text("ALTER TABLE notes ADD COLUMN at timestamptz;")
    environ: Mapping[str, str] = {
        "HOWDAH_STATE_DIR": str(open_path),
        "HOWDAH_PG_BINDIR": str(pg_programs.bindir),
    }
    migrator = Migrator(database=replica, directory=tmp_path, format="golang-migrate")
    # However large: it is no primary.
    found = rehearse_on_data(source, migrator, settings=LiveSettings(environ=environ, large_bytes=1))
    assert found.failed is None
    assert [each.version for each in found.migrations] == ["1"]
