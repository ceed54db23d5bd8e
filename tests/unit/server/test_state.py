"""Where servers live, and what is remembered about them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from howdah.errors import ConfigError, LockTimeout
from howdah.pg.programs import Account
from howdah.server.state import (
    ServerRecord,
    locked,
    make_directory,
    read_private,
    read_record,
    server_directory,
    socket_directory,
    state_home,
    write_private,
    write_record,
)

as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root has a place of its own")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another user")


def test_the_state_directory_can_be_named(tmp_path: Path) -> None:
    assert state_home({"HOWDAH_STATE_DIR": str(tmp_path)}) == tmp_path


@as_root
def test_root_keeps_servers_where_an_unprivileged_user_can_enter() -> None:
    assert state_home({}) == Path("/var/lib/howdah")


@as_user
def test_an_ordinary_user_keeps_servers_in_the_state_directory(tmp_path: Path) -> None:
    assert state_home({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "howdah"


def test_projects_of_one_name_have_different_directories(tmp_path: Path) -> None:
    environ = {"HOWDAH_STATE_DIR": str(tmp_path)}
    first = server_directory(Path("/home/anna/shop"), environ)
    second = server_directory(Path("/home/berta/shop"), environ)
    assert first != second
    assert {first.parent, second.parent} == {tmp_path}
    assert first.name.startswith("shop-")


@pytest.mark.parametrize("name", ["Käse & Brot", 'it\'s "mine"', "日本語", "…", "a" * 200, "-rf"])
def test_any_project_name_gives_a_plain_directory_name(name: str, tmp_path: Path) -> None:
    made = server_directory(Path("/src") / name, {"HOWDAH_STATE_DIR": str(tmp_path)}).name
    assert made.isascii()
    assert len(made) <= 41
    assert not made.startswith("-")
    assert not set(made) & set(" '\"&")


def test_a_record_is_read_back_and_readable_by_the_owner_only(tmp_path: Path) -> None:
    record = ServerRecord(port=20001, bindir="/pg", version="18.6", password="geheim")
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert (tmp_path / "server.json").stat().st_mode & 0o777 == 0o600
    assert "geheim" not in repr(record)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"port": 1}',
        '{"port": 1, "strange": 2}',
        '{"port": "abc", "bindir": "", "version": "", "password": "x"}',
        '{"port": 99999, "bindir": "", "version": "", "password": "x"}',
        '{"port": 20001, "bindir": "", "version": "", "password": null}',
    ],
)
def test_a_damaged_record_is_no_record(content: str, tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text(content, encoding="utf-8")
    assert read_record(tmp_path) is None


def test_a_private_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_private(tmp_path / "none.json") == {}
    write_private(tmp_path / "some.json", {"a": 1})
    assert read_private(tmp_path / "some.json") == {"a": 1}


def test_a_socket_path_fits_however_long_the_directory_is() -> None:
    for length in (10, 60, 100, 200):
        place = socket_directory(Path("/" + "x" * length) / "kaimu-12345678")
        assert len(os.fsencode(place / ".s.PGSQL.65535")) <= 103


def test_a_lock_excludes_another_thread_and_names_the_limit(open_path: Path) -> None:
    file = open_path / "lock"
    with locked(file), pytest.raises(LockTimeout, match="0 s"), locked(file, limit_seconds=0.05):
        pass
    with locked(file, limit_seconds=0.05):
        pass


def test_a_lock_whose_directory_was_removed_is_another_one(open_path: Path) -> None:
    directory = open_path / "server"
    with locked(directory / "lock"):
        directory.rename(open_path / "gone")
        with locked(directory / "lock", limit_seconds=0.05):
            assert (directory / "lock").is_file()


def test_a_lock_is_had_as_soon_as_it_is_free(open_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(open_path / "lock"):
            order.append("second")

    with locked(open_path / "lock"):
        waiting = threading.Thread(target=second)
        waiting.start()
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_existing_directories_are_left_as_they_are(open_path: Path) -> None:
    mode = open_path.stat().st_mode
    make_directory(open_path / "a" / "b")
    assert (open_path / "a" / "b").is_dir()
    assert open_path.stat().st_mode == mode


def test_a_file_in_the_way_is_reported(open_path: Path) -> None:
    (open_path / "file").touch()
    with pytest.raises(ConfigError) as caught:
        make_directory(open_path / "file" / "state")
    assert caught.value.code == "no-state-directory"
    assert "HOWDAH_STATE_DIR" in (caught.value.fix or "")


@as_user
def test_a_read_only_place_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError) as caught:
        make_directory(tmp_path / "state")
    assert caught.value.code == "no-state-directory"
    tmp_path.chmod(0o700)


@as_root
def test_a_place_closed_to_the_servers_user_is_reported_and_left_closed(open_path: Path) -> None:
    open_path.chmod(0o700)
    with pytest.raises(ConfigError, match="'nobody' cannot enter"):
        make_directory(open_path / "state")
    assert open_path.stat().st_mode & 0o777 == 0o700


def test_an_account_may_enter_what_its_class_of_permissions_allows(open_path: Path) -> None:
    owner = open_path.stat()
    stranger = Account("stranger", owner.st_uid + 1, owner.st_gid + 1)
    (open_path / "closed").mkdir(mode=0o700)
    assert stranger.can_enter(open_path)
    assert not stranger.can_enter(open_path / "closed")
    assert Account("owner", owner.st_uid, owner.st_gid).can_enter(open_path / "closed")
