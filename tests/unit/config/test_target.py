from __future__ import annotations

from pathlib import Path

import pytest

from howdah.cli.target import resolve_target
from howdah.config.env import CONVENTIONS
from howdah.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder as the current one, and no variable that names a database."""
    for convention in CONVENTIONS:
        for names in convention.parts.values():
            for name in names:
                monkeypatch.delenv(name, raising=False)
    (tmp_path / "howdah.toml").write_text("[database.kaimu]\nenv = { host = 'DBHOST' }\n[database.other]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_url_needs_no_name_and_no_variable(folder: Path) -> None:
    target = resolve_target("postgres://h/kaimu", None, None)
    assert (target.settings.name, target.database.host, target.source) == ("kaimu", "h", "--url")


def test_variables_come_from_the_environment_and_the_projects_env_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("DBHOST=h1\n")
    assert resolve_target(None, None, "kaimu").database.host == "h1"
    monkeypatch.setenv("DBHOST", "h2")
    assert resolve_target(None, None, "kaimu").database.host == "h2"


def test_another_file_is_another_project(folder: Path) -> None:
    (folder / "b.toml").write_text("[database.b]\nurl = 'postgresql://h'\n")
    target = resolve_target(None, "b.toml", None)
    assert (target.settings.name, target.database.database) == ("b", "b")


def test_nothing_at_all_is_a_refusal_with_the_next_command(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_target(None, None, "kaimu")
    assert caught.value.code == "no-address"
    assert "howdah dev up" in caught.value.next
