"""A check that is stopped half-way says so, says nothing else, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from fix_cli import Cli
from fix_db import connect
from fix_golang_migrate import as_url
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig

_ASLEEP = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname ~ '^howdah_rehearse_'"
)


def wait_for_sleeper(database: DatabaseConfig, process: subprocess.Popen[str]) -> None:
    """Return when a migration of a rehearsal on this server sleeps."""
    with connect(database) as connection:
        while process.poll() is None:
            row = connection.execute(_ASLEEP).fetchone()
            if row is not None and row[0]:
                return
            time.sleep(0.05)
    pytest.fail(f"howdah ended: {process.communicate()}")


_IS_NOHUP = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        signal.SIGTERM,
        pytest.param(signal.SIGHUP, marks=pytest.mark.skipif(_IS_NOHUP, reason="pytest runs under nohup")),
    ],
)
def test_a_migration_that_runs_for_ever_is_stopped(
    cli: Cli,
    server: RunningServer,
    database: DatabaseConfig,
    number: signal.Signals,
) -> None:
    migrations = cli.directory / "migrations"
    migrations.mkdir()
    # A table, for its rows: a failure is tried once more without them.
    (migrations / "1_table.up.sql").write_text("CREATE TABLE notes (id int);")
    (migrations / "2_slow.up.sql").write_text("SELECT pg_sleep(600);")
    process = cli.start(
        "check", "--dir", "migrations", "--base", "none", "--rehearse-url", as_url(server.address)
    )
    wait_for_sleeper(database, process)

    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)

    assert (process.returncode, stdout, stderr.split()[-1]) == (130, "", "interrupted")
    with connect(database) as connection:
        assert connection.execute(_ASLEEP).fetchone() == (0,)
