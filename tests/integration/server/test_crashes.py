"""LocalServer after everything that can go wrong on a developer's machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_db import connect
from howdah.errors import CommandError, ConfigError, UnsupportedError
from howdah.pg.programs import Programs, as_account, server_account
from howdah.server.local import LocalServer
from howdah.server.process import end_processes, find_postmaster, find_strays
from howdah.server.state import socket_directory

linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc to see other processes")

_START = """
import sys
from pathlib import Path
from howdah.pg.programs import programs_in
from howdah.server.local import LocalServer
server = LocalServer(Path(sys.argv[1]), programs_in(Path(sys.argv[2])))
print(server.start(), server.address.port)
"""


@pytest.fixture
def local(open_path: Path, pg_programs: Programs) -> Iterator[LocalServer]:
    server = LocalServer(open_path / "server", pg_programs)
    yield server
    server.destroy()


def start_in_a_process(server: LocalServer) -> subprocess.Popen[str]:
    assert server.programs
    return subprocess.Popen(
        [sys.executable, "-c", _START, server.directory, server.programs.bindir],
        stdout=subprocess.PIPE,
        text=True,
    )


def pid_of(server: LocalServer) -> int:
    found = find_postmaster(server.data)
    assert found
    return found.pid


def kill(pid: int) -> None:
    assert not end_processes([pid], signal.SIGKILL, within_seconds=5)


def answers(server: LocalServer) -> bool:
    with connect(server.address) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def put_pid_file(server: LocalServer, content: str) -> None:
    file = server.data / "postmaster.pid"
    file.write_text(content, encoding="utf-8")
    if account := server_account():
        os.chown(file, account.uid, account.gid)


@contextlib.contextmanager
def listener(address: str, port: int) -> Iterator[None]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind((address, port))
        stranger.listen()
        yield


def test_a_killed_server_starts_again_with_its_data(local: LocalServer) -> None:
    local.start()
    with connect(local.address) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS x")
        connection.execute("CHECKPOINT")
    kill(pid_of(local))
    assert local.start() is True
    with connect(local.address) as connection:
        assert connection.execute("SELECT x FROM kept").fetchone() == (7,)


@linux
def test_a_busy_backend_of_a_killed_server_does_not_prevent_the_start(local: LocalServer) -> None:
    local.start()
    first = pid_of(local)
    with contextlib.closing(connect(local.address)) as busy:
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000000)")
        time.sleep(0.2)
        kill(first)
        assert local.start() is True
    assert answers(local)


@pytest.mark.parametrize("content", ["", "\n", "not a number\n", "1\n", "999999999\n/nowhere\n1\n5432\n"])
def test_a_pid_file_that_says_nonsense_is_not_believed(local: LocalServer, content: str) -> None:
    local.start()
    local.stop()
    put_pid_file(local, content)
    assert local.running is None
    assert local.start() is True
    assert answers(local)


def test_a_stale_pid_that_belongs_to_a_stranger_is_left_alone(local: LocalServer) -> None:
    local.start()
    written = (local.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
    local.stop()
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **as_account(server_account()))
    try:
        put_pid_file(local, "\n".join([str(stranger.pid), *written[1:]]))
        assert local.running is None
        assert local.stop() is False
        assert local.start() is True
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_killed_initialisation_leaves_nothing_that_matters(local: LocalServer) -> None:
    for delay in (0.15, 0.3, 0.45):
        process = start_in_a_process(local)
        time.sleep(delay)
        process.kill()
        process.communicate()
    assert local.start() in {True, False}
    assert answers(local)
    assert not list(local.directory.glob("data.new-*"))


def test_a_data_directory_without_a_version_is_set_aside_not_deleted(local: LocalServer) -> None:
    local.data.mkdir(parents=True)
    local.directory.chmod(0o711)
    (local.data / "something").write_text("mine", encoding="utf-8")
    local.start()
    (kept,) = local.directory.glob("data.unknown-*/something")
    assert kept.read_text(encoding="utf-8") == "mine"


def test_eight_starts_at_once_start_one_server(local: LocalServer) -> None:
    processes = [start_in_a_process(local) for _ in range(8)]
    said = [process.communicate(timeout=60)[0].split() for process in processes]
    assert sorted(started for started, _ in said) == ["False"] * 7 + ["True"]
    assert len({port for _, port in said}) == 1
    assert answers(local)


def test_the_server_outlives_the_process_that_started_it_and_its_session(local: LocalServer) -> None:
    process = start_in_a_process(local)
    process.communicate(timeout=60)
    assert os.getsid(pid_of(local)) == pid_of(local)
    assert answers(local)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_kept_port_that_a_stranger_took_is_given_up(local: LocalServer, address: str) -> None:
    local.start()
    before = int(local.address.port)
    local.stop()
    with listener(address, before):
        local.start()
        assert int(local.address.port) != before
        assert answers(local)


def test_a_configured_port_that_is_taken_is_an_error(local: LocalServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} is taken"):
            LocalServer(local.directory, local.programs, port=port).start()


def test_the_state_directory_may_be_removed_while_the_server_runs(local: LocalServer) -> None:
    local.start()
    old = pid_of(local)
    shutil.rmtree(local.directory)
    assert local.start() is True
    assert answers(local)
    assert pid_of(local) != old
    assert old not in find_strays(local.data)


def test_a_lost_record_is_made_anew(local: LocalServer) -> None:
    local.start()
    before = local.address
    local.stop()
    (local.directory / "server.json").unlink()
    local.start()
    assert local.address.password != before.password
    assert answers(local)


@pytest.mark.parametrize("name", ["with space", 'it\'s "quoted", {and} \\ $HOME', "Käse 日本"])
def test_any_directory_name_works(open_path: Path, pg_programs: Programs, name: str) -> None:
    server = LocalServer(open_path / name, pg_programs)
    try:
        server.start()
        assert answers(server)
        with connect(server.socket_address) as connection:
            assert connection.info.host == str(socket_directory(server.directory))
    finally:
        server.destroy()


def test_a_long_directory_name_gets_its_socket_elsewhere(open_path: Path, pg_programs: Programs) -> None:
    server = LocalServer(open_path / ("x" * 120), pg_programs)
    server.start()
    place = socket_directory(server.directory)
    try:
        with connect(server.socket_address) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert place.stat().st_mode & 0o777 == 0o700
    finally:
        server.destroy()
    assert not place.exists()


def test_a_socket_directory_that_others_can_enter_is_not_used(open_path: Path, pg_programs: Programs) -> None:
    server = LocalServer(open_path / ("y" * 120), pg_programs)
    place = socket_directory(server.directory)
    place.mkdir()
    place.chmod(0o777)
    try:
        with pytest.raises(ConfigError) as caught:
            server.start()
        assert caught.value.code == "unsafe-socket-directory"
    finally:
        server.destroy()


def test_data_of_another_major_version_is_refused_and_kept(local: LocalServer) -> None:
    local.init()
    (local.data / "PG_VERSION").write_text("12\n", encoding="ascii")
    with pytest.raises(UnsupportedError) as caught:
        local.start()
    assert caught.value.code == "data-of-another-version"
    assert caught.value.next == ("howdah dev reset",)
    assert local.data.is_dir()


def test_a_bad_setting_is_reported_with_the_servers_words(local: LocalServer) -> None:
    with pytest.raises(CommandError, match="no_such_setting") as caught:
        LocalServer(local.directory, local.programs, settings={"no_such_setting": "1"}).start()
    assert caught.value.code == "bad-setting"


def test_files_the_server_may_not_read_are_reported(local: LocalServer) -> None:
    local.init()
    control = local.data / "global" / "pg_control"
    control.chmod(0)
    with pytest.raises(CommandError, match="Permission denied") as caught:
        local.start()
    assert caught.value.code == "no-permission"
    control.chmod(0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk can be mounted by root only")
def test_a_full_disk_is_reported_and_leaves_nothing_half_made(open_path: Path, pg_programs: Programs) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=711", "tmpfs", open_path],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this machine does not let root mount a small disk")
    try:
        server = LocalServer(open_path / "server", pg_programs)
        with pytest.raises(CommandError, match="No space left") as caught:
            server.start()
        assert caught.value.code == "disk-full"
        assert not list(server.directory.glob("data*"))
    finally:
        subprocess.run(["umount", open_path], check=True)


def test_destroying_twice_is_fine_and_removes_all(local: LocalServer) -> None:
    local.start()
    assert local.destroy() is True
    assert local.destroy() is False
    assert not local.directory.exists()
