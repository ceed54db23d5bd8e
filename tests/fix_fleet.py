"""A project with many databases on the server of the tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fix_cli import Cli
from fix_migrations import tables
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig
from howdah.config.project import Project, load_project
from howdah.config.url import format_url


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)  # of texts and lists of texts, JSON is TOML


class Fleet:
    """A howdah.toml and its migrations, written as databases are added."""

    def __init__(
        self, root: Path, password: str, make_database: Callable[[], DatabaseConfig], cli: Cli
    ) -> None:
        self.root = root
        self.addresses: dict[str, DatabaseConfig] = {}
        self.file = root / "howdah.toml"
        self.environ = {"PGPASSWORD": password}
        self._make_database = make_database
        self._cli = Cli(root, {**cli.environ, **self.environ})

    def add(
        self,
        name: str,
        files: Mapping[str, str] | None = None,
        *,
        depends_on: Sequence[str] = (),
        address: DatabaseConfig | None = None,
        **keys: str,
    ) -> DatabaseConfig:
        """A database with these migrations, three tables without; a fresh one without an address."""
        address = address or self._make_database()
        directory = self.root / f"m{len(self.addresses)}"
        directory.mkdir()
        for file, body in (tables(3) if files is None else files).items():
            (directory / file).write_text(body)
        lines = [
            f"[database.{_toml(name)}]",
            f"url = {_toml(format_url(replace(address, password=None)))}",
            f"migrations = {_toml(keys.pop('migrations', directory.name))}",
            f"depends-on = {_toml(list(depends_on))}",
            *(f"{key.replace('_', '-')} = {_toml(value)}" for key, value in keys.items()),
        ]
        with self.file.open("a") as project:
            project.write("\n".join(lines) + "\n\n")
        self.addresses[name] = address
        return address

    @property
    def project(self) -> Project:
        """The project as the library loads it."""
        return load_project(file=self.file)

    @property
    def cli(self) -> Cli:
        """Runs howdah in the project's folder."""
        return self._cli


@pytest.fixture
def fleet(
    tmp_path: Path,
    server: RunningServer,
    make_database: Callable[[], DatabaseConfig],
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> Fleet:
    """A project without databases so far; the password of its server is in the environment."""
    password = server.address.password
    root = tmp_path / "project"
    root.mkdir()
    made = Fleet(root, password.reveal() if password else "", make_database, cli)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    return made
