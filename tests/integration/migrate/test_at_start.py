"""An application that migrates when it starts: waits, takes turns, costs nothing when nothing is to do."""

from __future__ import annotations

import logging
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, history, migrator, scalar, tables
from howdah import Migrator
from howdah.config.database import DatabaseConfig
from howdah.errors import ConnectError

_PROGRAM = """
import logging, sys
from pathlib import Path
from howdah import DatabaseConfig, Migrator
from howdah.config.url import parse_url
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
database = parse_url(sys.argv[1])
print(len(Migrator(database=database, directory=Path(sys.argv[2])).up_at_start()))
"""


@dataclass
class Counter:
    """What a client sent behind its login: message types in order."""

    types: list[str] = field(default_factory=list)

    @property
    def round_trips(self) -> int:
        """Each Query and each Sync is waited for."""
        return sum(each in "QS" for each in self.types)


@contextmanager
def counting_proxy(address: DatabaseConfig) -> Iterator[tuple[DatabaseConfig, Counter]]:
    """Pass one session through, and write down the types of the frontend's messages."""
    counter = Counter()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        through = replace(address, port=str(listener.getsockname()[1]), options={"sslmode": "disable"})
        serving = threading.Thread(target=_pass_through, args=(listener, address, counter))
        serving.start()
        yield through, counter
        serving.join(timeout=10)


def _pass_through(listener: socket.socket, address: DatabaseConfig, counter: Counter) -> None:
    client, _ = listener.accept()
    with client, socket.create_connection((address.host, int(address.port))) as server:
        answering = threading.Thread(target=_copy, args=(server, client))
        answering.start()
        buffer, started = b"", False
        while data := client.recv(65536):
            server.sendall(data)
            buffer += data
            buffer, started = _count(buffer, started, counter)
        server.shutdown(socket.SHUT_WR)
        answering.join(timeout=10)


def _copy(server: socket.socket, client: socket.socket) -> None:
    while data := server.recv(65536):
        client.sendall(data)


def _count(buffer: bytes, started: bool, counter: Counter) -> tuple[bytes, bool]:
    """Take whole messages off the buffer. Those before the login have no type."""
    while len(buffer) >= (5 if started else 8):
        length = 1 + struct.unpack("!i", buffer[1:5])[0] if started else struct.unpack("!i", buffer[:4])[0]
        if len(buffer) < length:
            break
        if started:
            counter.types.append(chr(buffer[0]))
        else:
            started = (
                struct.unpack("!i", buffer[4:8])[0] == 196608
            )  # protocol 3.0, not a request for encryption
        buffer = buffer[length:]
    return buffer, started


def test_nothing_pending_costs_two_round_trips_and_no_lock(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(tables(3))
    migrator(database, directory).up()

    with counting_proxy(database) as (address, counter):
        assert Migrator(database=address, directory=directory).up_at_start() == []

    assert counter.round_trips <= 2
    assert "X" in counter.types


def test_nothing_pending_does_not_wait_for_the_lock(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run = migrator(database, write_migrations(tables(1)), lock_limit_seconds=0)
    run.up()
    keys = run._format.table.lock_keys(run.status().history.table)
    with connect(database) as holder:
        for key in keys:
            holder.execute("SELECT pg_advisory_lock(%s)", [key])

        assert run.up() == []


def test_one_of_many_instances_migrates_and_the_others_wait(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "1_log.up.sql": "CREATE TABLE log (n int);",
            "2_slow.up.sql": "SELECT pg_sleep(0.5); INSERT INTO log VALUES (2);",
            "3_more.up.sql": "INSERT INTO log VALUES (3);",
        }
    )
    from howdah.config.url import format_url

    url = format_url(database, show_password=True)
    command = [sys.executable, "-c", _PROGRAM, url, str(directory)]
    instances = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [instance.communicate(timeout=60)[0] for instance in instances]

    assert [instance.returncode for instance in instances] == [0] * 4
    assert sorted(output.splitlines()[-1] for output in outputs) == ["0", "0", "0", "3"]
    assert scalar(database, "SELECT array_agg(n ORDER BY n)::text FROM log") == "{2,3}"


def test_the_environment_is_enough(
    database: DatabaseConfig,
    write_migrations: WriteMigrations,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from howdah.config.url import format_url

    write_migrations(tables(2))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", format_url(database, show_password=True))

    assert len(Migrator.from_environment().up_at_start()) == 2
    assert Migrator.from_environment("migrations").up_at_start() == []


@pytest.mark.parametrize("value", ["false", "0", "off", "NO"])
def test_the_switch_turns_it_off(
    database: DatabaseConfig, write_migrations: WriteMigrations, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HOLOMUSH_DB_AUTO_MIGRATE", value)

    assert (
        migrator(database, write_migrations(tables(1))).up_at_start(switch="HOLOMUSH_DB_AUTO_MIGRATE") == []
    )

    assert scalar(database, "SELECT to_regclass('schema_migrations')") is None


def test_the_switch_left_on_or_unset_migrates(
    database: DatabaseConfig, write_migrations: WriteMigrations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLOMUSH_DB_AUTO_MIGRATE", "true")

    migrator(database, write_migrations(tables(1))).up_at_start(switch="HOLOMUSH_DB_AUTO_MIGRATE")

    assert history(database) == [(1, False)]


def test_results_are_logged(
    database: DatabaseConfig, write_migrations: WriteMigrations, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="howdah")

    Migrator(database=database, directory=write_migrations(tables(2))).up_at_start()

    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "applied 001_t1.up.sql",
        "applied 002_t2.up.sql",
    ]


def test_a_server_that_never_comes_is_waited_for_within_the_limit(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    nowhere = DatabaseConfig(host="127.0.0.1", port=port, database="app", user="app")

    with pytest.raises(ConnectError) as caught:
        Migrator(database=nowhere, directory=tmp_path).up_at_start(wait_seconds=0.5)

    assert caught.value.code == "connection-refused"


def test_no_code_of_the_command_line_is_loaded(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    from howdah.config.url import format_url

    program = (
        _PROGRAM
        + "assert not any(m == 'click' or m.startswith('howdah.cli') for m in sys.modules), sys.modules\n"
    )
    command = [
        sys.executable,
        "-c",
        program,
        format_url(database, show_password=True),
        str(write_migrations(tables(1))),
    ]

    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.endswith("1\n")
