"""A rehearsal on real data that is stopped half-way leaves nothing behind, however it was stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fix_cli import clean_environ
from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig
from howdah.rehearse.throwaway import throwaway
from howdah.server.choice import Need

_REHEARSE = """
import sys
from pathlib import Path
from howdah.config.url import parse_url
from howdah.migrate.events import StatementStarted
from howdah.migrate.migrator import Migrator
from howdah.rehearse.live import LiveSettings, rehearse_on_data
from howdah.rehearse.source import find_source

def tell(event):
    if isinstance(event, StatementStarted):
        print("running", flush=True)

migrator = Migrator(database=parse_url(sys.argv[1]), directory=Path(sys.argv[2]), format="golang-migrate")
rehearse_on_data(find_source(sys.argv[1]), migrator, settings=LiveSettings(on_event=tell))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left(
    database: DatabaseConfig, server: RunningServer, open_path: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with connect(database) as connection:
        connection.execute("CREATE TABLE notes AS SELECT 1 AS id")
    (tmp_path / "1_slow.up.sql").write_text("ALTER TABLE notes ADD COLUMN a int;\nSELECT pg_sleep(60);")
    assert database.password is not None
    url = f"postgresql://postgres:{database.password.reveal()}@127.0.0.1:{database.port}/{database.database}"
    environ = {**clean_environ(), "HOWDAH_STATE_DIR": str(open_path)}
    if server.programs:
        environ["HOWDAH_PG_BINDIR"] = str(server.programs.bindir)
    command = [sys.executable, "-c", _REHEARSE, url, str(tmp_path)]
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        os.kill(process.pid, number)
        process.communicate(timeout=60)
    if number is signal.SIGKILL:
        # The next one sweeps.
        with throwaway(Need(), environ=environ):
            pass
    assert [each.name for each in open_path.iterdir() if each.name.startswith("throwaway")] == []
