"""LocalServer after everything that can go wrong on a developer's machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fix_db import connect
from fix_local import QUICK_SETTINGS
from howdah.config.database import Secret
from howdah.errors import CommandError, ConfigError, ConnectError, UnsupportedError
from howdah.pg.programs import Programs, as_account, server_account
from howdah.server.launch import wait_until_ready
from howdah.server.local import LocalServer
from howdah.server.ports import is_free
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


def test_a_killed_initialisation_leaves_nothing_that_matters(new_local: LocalServer) -> None:
    for delay in (0.15, 0.3, 0.45):
        process = start_in_a_process(new_local)
        time.sleep(delay)
        process.kill()
        process.communicate()
    assert new_local.start() in {True, False}
    assert answers(new_local)
    assert not list(new_local.directory.glob("data.new-*"))


def test_a_data_directory_without_a_version_is_set_aside_not_deleted(new_local: LocalServer) -> None:
    new_local.data.mkdir(parents=True)
    new_local.directory.chmod(0o711)
    (new_local.data / "something").write_text("mine", encoding="utf-8")
    new_local.init()
    (kept,) = new_local.directory.glob("data.unknown-*/something")
    assert kept.read_text(encoding="utf-8") == "mine"


def test_a_link_to_nowhere_in_place_of_the_data_is_set_aside(new_local: LocalServer) -> None:
    new_local.directory.mkdir()
    new_local.directory.chmod(0o711)
    new_local.data.symlink_to("/nowhere")
    assert new_local.init() is True
    assert new_local.exists


def test_eight_starts_at_once_start_one_server(new_local: LocalServer) -> None:
    processes = [start_in_a_process(new_local) for _ in range(8)]
    said = [process.communicate(timeout=60)[0].split() for process in processes]
    assert sorted(started for started, _ in said) == ["False"] * 7 + ["True"]
    assert len({port for _, port in said}) == 1
    assert answers(new_local)


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
        with pytest.raises(ConfigError, match=f"port {port} is taken") as caught:
            replace(local, port=port).start()
    assert "--port, HOWDAH_DEV_PORT or `port` in [dev]" in (caught.value.fix or "")
    (command,) = caught.value.next
    assert is_free(int(command.removeprefix("howdah dev up --port ")))


def test_the_state_directory_may_be_removed_while_the_server_runs(local: LocalServer) -> None:
    local.start()
    old = pid_of(local)
    shutil.rmtree(local.directory)
    assert local.start() is True
    assert answers(local)
    assert pid_of(local) != old
    assert old not in find_strays(local.data)


@pytest.mark.parametrize("content", ["", '{"port": "x", "bindir": "", "version": "", "password": null}'])
def test_a_lost_record_is_made_anew(local: LocalServer, content: str) -> None:
    before = local.record
    assert before
    (local.directory / "server.json").write_text(content, encoding="utf-8")
    local.start()
    assert local.address.password != Secret(before.password)
    assert answers(local)


def test_sessions_outlive_the_loss_of_the_record(local: LocalServer) -> None:
    local.start()
    with connect(local.address) as connection:
        (local.directory / "server.json").unlink()
        with pytest.raises(ConfigError) as caught:
            local.start()
        assert caught.value.code == "lost-record"
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert local.stop() is True
    local.start()
    assert answers(local)


def test_the_address_is_known_before_the_server_runs(
    local: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_and_die(*arguments: Any, **options: Any) -> bool:
        assert wait_until_ready(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("howdah.server.local.wait_until_ready", wait_and_die)
        with pytest.raises(KeyboardInterrupt):
            local.start()
    assert local.start() is False
    assert answers(local)


def test_a_server_that_was_initialised_only_has_no_address(local: LocalServer) -> None:
    with pytest.raises(ConfigError) as caught:
        _ = local.address
    assert caught.value.code == "no-server"


def test_a_long_recovery_is_neither_interrupted_nor_taken_for_a_failure(local: LocalServer) -> None:
    # a server that recovers for ever: it waits for write-ahead log that never comes
    (local.data / "standby.signal").touch()
    patient = replace(local, settings={**local.settings, "hot_standby": "off"}, start_limit_seconds=0.5)
    for _ in range(2):
        with pytest.raises(ConnectError) as caught:
            patient.start()
        assert caught.value.code == "server-still-starting"
    (started,) = [line for line in local.log_lines(100) if "starting PostgreSQL" in line]
    assert f"[{pid_of(local)}]" in started
    assert local.stop() is True


@pytest.mark.parametrize("name", ["port", "Listen_Addresses", "data_directory"])
def test_settings_that_make_the_address_wrong_are_refused(local: LocalServer, name: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        replace(local, settings={name: "1"}).start()
    assert caught.value.code == "bad-setting"


def test_a_log_that_cannot_be_used_is_reported(local: LocalServer) -> None:
    local.log.mkdir()
    for use in (local.start, lambda: local.log_lines(3)):
        with pytest.raises(ConfigError) as caught:
            use()
        assert caught.value.code == "no-state-directory"


def test_data_that_names_no_version_is_damaged(local: LocalServer) -> None:
    (local.data / "PG_VERSION").write_text("", encoding="ascii")
    with pytest.raises(UnsupportedError) as caught:
        local.start()
    assert caught.value.code == "damaged-data"


def test_a_server_is_seen_where_there_is_no_proc(
    open_path: Path,
    pg_programs: Programs,
    put_data: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = LocalServer(open_path / "with blank", pg_programs, settings=QUICK_SETTINGS)
    put_data(server.directory)
    server.start()
    try:
        with monkeypatch.context() as patch:
            patch.setattr("howdah.server.process._PROC", open_path / "no proc")
            assert server.start() is False
            put_data(open_path / "with")
            shutil.copy(server.data / "postmaster.pid", open_path / "with" / "data")
            assert LocalServer(open_path / "with").running is None
    finally:
        server.destroy()


@linux
def test_a_server_whose_pid_file_was_removed_is_stopped(local: LocalServer) -> None:
    local.start()
    pid = pid_of(local)
    (local.data / "postmaster.pid").unlink()
    assert local.stop() is True
    assert end_processes([pid], signal.SIGKILL, within_seconds=0) == []


def test_a_relative_directory_is_the_same_server(local: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(local.directory.parent)
    assert LocalServer(Path(local.directory.name), local.programs).directory == local.directory


def test_starting_and_destroying_at_once_leaves_one_or_none(new_local: LocalServer) -> None:
    raised: list[Exception] = []

    def repeat(action: Callable[[], object]) -> None:
        for _ in range(2):
            try:
                action()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                raised.append(error)

    actions = [new_local.start, new_local.destroy, new_local.start, new_local.destroy]
    threads = [threading.Thread(target=repeat, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    new_local.destroy()
    assert find_strays(new_local.data) == []
    assert list(new_local.directory.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["with space", 'it\'s "quoted", {and} \\ $HOME', "Käse 日本"])
def test_any_directory_name_works(
    open_path: Path, pg_programs: Programs, put_data: Callable[[Path], None], name: str
) -> None:
    server = LocalServer(open_path / name, pg_programs)
    put_data(server.directory)
    try:
        server.start()
        assert answers(server)
        with connect(server.socket_address) as connection:
            assert connection.info.host == str(socket_directory(server.directory))
    finally:
        server.destroy()


def test_a_long_directory_name_gets_its_socket_elsewhere(
    open_path: Path, pg_programs: Programs, put_data: Callable[[Path], None]
) -> None:
    server = LocalServer(open_path / ("x" * 120), pg_programs)
    put_data(server.directory)
    server.start()
    place = socket_directory(server.directory)
    try:
        with connect(server.socket_address) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert place.stat().st_mode & 0o777 == 0o700
    finally:
        server.destroy()
    assert not place.exists()


def test_a_socket_directory_that_others_can_enter_is_not_used(
    open_path: Path, pg_programs: Programs, put_data: Callable[[Path], None]
) -> None:
    server = LocalServer(open_path / ("y" * 120), pg_programs)
    put_data(server.directory)
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
