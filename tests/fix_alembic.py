"""Alembic projects as people have them: `alembic init`'s own files, and revisions written by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config

from fix_cli import clean_environ
from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.config.url import format_url
from howdah.migrate.events import Event
from howdah.migrate.migrator import Migrator
from howdah.migrate.settings import RunSettings

REVISION = '''"""{words}"""
from alembic import op
import sqlalchemy as sa

revision = {id!r}
down_revision = {down!r}
branch_labels = None
depends_on = {depends_on!r}


def upgrade():
    {up}


def downgrade():
    {undo}
'''


@dataclass(frozen=True)
class Project:
    """A folder with alembic.ini, `migrations/env.py` and revisions below `migrations/versions`."""

    root: Path

    @property
    def env(self) -> Path:
        return self.root / "migrations" / "env.py"

    def revision(
        self,
        id: str,
        down: str | tuple[str, ...] | None,
        up: str = "",
        undo: str = "",
        *,
        depends_on: str | tuple[str, ...] | None = None,
    ) -> Path:
        """Write a revision; without words of its own it makes and drops the table t_ID."""
        text = REVISION.format(
            words=f"make {id}",
            id=id,
            down=down,
            depends_on=depends_on,
            up=up or f'op.create_table("t_{id}", sa.Column("id", sa.BigInteger, primary_key=True))',
            undo=undo or f'op.drop_table("t_{id}")',
        )
        file = self.root / "migrations" / "versions" / f"{id}_make.py"
        file.write_text(text)
        return file

    def edit_env(self, old: str, new: str) -> None:
        """Change env.py as a team might have."""
        text = self.env.read_text()
        assert old in text
        self.env.write_text(text.replace(old, new))

    def migrator(
        self, database: DatabaseConfig, events: list[Event] | None = None, **settings: float
    ) -> Migrator:
        """howdah on this project."""
        return Migrator(
            database=database,
            directory=self.root,
            format="alembic",
            settings=RunSettings(**settings),
            on_event=(events if events is not None else []).append,
        )

    def alembic(self, database: DatabaseConfig, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Alembic's own command, told the address through the variable SQLALCHEMY_URL of `env.py`."""
        url = format_url(database, show_password=True).replace("postgresql://", "postgresql+psycopg://", 1)
        return subprocess.run(
            [sys.executable, "-c", _ALEMBIC, url, *arguments],
            cwd=self.root,
            env=clean_environ() | {"PYTHONDONTWRITEBYTECODE": "1", "HOME": os.environ.get("HOME", "/")},
            capture_output=True,
            text=True,
            check=False,
        )


# The `alembic` command with another sqlalchemy.url than the file's, which env.py reads as ever.
_ALEMBIC = """
import sys
from alembic.config import CommandLine, Config
line = CommandLine("alembic")
url, *arguments = sys.argv[1:]
options = line.parser.parse_args(arguments)
config = Config("alembic.ini", cmd_opts=options)
config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
line.run_cmd(config, options)
"""


def make_project(root: Path, *, template: str = "generic") -> Project:
    """What `alembic init -t TEMPLATE migrations` leaves."""
    root.mkdir(parents=True, exist_ok=True)
    config = Config(str(root / "alembic.ini"), str(root / "pyproject.toml"), cmd_opts=Namespace(quiet=True))
    command.init(config, str(root / "migrations"), template=template)
    for name in ("alembic.ini", "pyproject.toml"):
        file = root / name
        if file.exists():
            file.write_text(file.read_text().replace(f"{root / 'migrations'}", "%(here)s/migrations"))
    return Project(root)


def heads(database: DatabaseConfig, table: str = "alembic_version") -> list[str]:
    """The rows of the history."""
    with connect(database) as connection:
        return sorted(row[0] for row in connection.execute(f"SELECT version_num FROM {table}".encode()))


def tables(database: DatabaseConfig) -> set[str]:
    """The application's tables and indexes that are valid."""
    with connect(database) as connection:
        return {
            name
            for (name,) in connection.execute(
                "SELECT relname FROM pg_class LEFT JOIN pg_index ON indexrelid = pg_class.oid"
                " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
                " AND coalesce(indisvalid, true) AND relname !~ '^alembic_version|_pkey$'"
            )
        }
