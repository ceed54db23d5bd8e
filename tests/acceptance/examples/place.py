"""Where an example is tried: a copy of it, a reader's environment, and servers that have its extensions."""

from __future__ import annotations

import os
import random
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from fix_cli import clean_environ
from fix_server import available_programs, reachable_directory, tools_directory
from howdah.config.database import DatabaseConfig
from howdah.pg.programs import Programs
from howdah.server.local import LocalServer
from howdah.server.ports import is_free
from howdah.server.standins import STANDINS, standins_directory

EXAMPLES = Path(__file__).parents[3] / "examples"
_HISTORIES = ("schema_migrations", "_sqlx_migrations", "alembic_version")


@dataclass(frozen=True)
class Example:
    """An example: its migrations, the extensions they need, and which of them only an administrator makes."""

    name: str
    migrations: str
    extensions: frozenset[str]
    untrusted: tuple[str, ...] = ()
    format: str = "golang-migrate"

    @property
    def root(self) -> Path:
        return EXAMPLES / self.name

    @property
    def directory(self) -> Path:
        return self.root / self.migrations

    @property
    def versions(self) -> list[int]:
        return sorted({int(file.name.split("_")[0]) for file in self.directory.glob("*.sql")})

    def suitable_programs(self) -> list[Programs]:
        """The PostgreSQLs here that have the extensions, or stand-ins for them; the newest last."""
        return [
            programs
            for _, programs in sorted(available_programs().items())
            if self.extensions
            <= programs.extensions | (STANDINS.keys() if _takes_standins(programs) else set())
        ]


KAIMU = Example("kaimu", "backend/db/migrations", frozenset({"uuid-ossp"}))
VIBEXP = Example(
    "vibexp",
    "backend/migrations",
    frozenset({"uuid-ossp", "pgcrypto", "pg_trgm", "vector"}),
    untrusted=("vector",),
)
HOLOMUSH = Example("holomush", "internal/store/migrations", frozenset({"pg_trgm"}))
CHATALOT = Example("chatalot", "migrations", frozenset(), format="sqlx")
QUIKAPP = Example("quikapp", "services", frozenset())


@dataclass(frozen=True)
class Place:
    """A folder with the example's files as a clone has them, and the environment of the page's reader."""

    folder: Path
    environment: dict[str, str]
    port: int


@contextmanager
def running_server(programs: Programs) -> Iterator[LocalServer]:
    """An empty server, gone afterwards."""
    directory = reachable_directory()
    local = LocalServer(
        directory / "server",
        programs,
        settings={"fsync": "off"},
        extension_directory=standins_directory() if _takes_standins(programs) else None,
    )
    try:
        local.start()
        yield local
    finally:
        local.destroy()
        shutil.rmtree(directory)


@contextmanager
def page_place(example: Example) -> Iterator[Place]:
    """A copy of the example, a free port for its local server, and another server as $PRODUCTION_URL."""
    programs = example.suitable_programs()[-1]
    with ExitStack() as stack:
        home = reachable_directory()
        stack.callback(shutil.rmtree, home)
        production = stack.enter_context(running_server(programs)).address
        port = _free_port()
        state = home / "state"
        stack.callback(_destroy_servers, state)
        environment = {
            **{
                name: value
                for name, value in clean_environ().items()
                if name in {"LANG", "PYTHONPATH", "TMPDIR"}
            },
            "HOME": str(home),
            "HOWDAH_STATE_DIR": str(state),
            # this howdah; then the programs a reader has installed, as new as the servers
            "PATH": os.pathsep.join(
                [str(Path(sys.executable).parent), str(client_programs().bindir), "/usr/bin:/bin"]
            ),
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",  # both streams in the order of a terminal
            **_production(example, production, home),
        }
        folder = home / example.name
        shutil.copytree(
            example.root, folder, ignore=shutil.ignore_patterns(".env", "__pycache__", "node_modules")
        )
        for file in (folder / "howdah.toml", folder / ".env.example"):
            file.write_text(file.read_text(encoding="utf-8").replace("5432", str(port)), encoding="utf-8")
        yield Place(folder, environment, port)


def tool(program: str) -> Path:
    """Another tool's program; without it the test is skipped, or fails where it must be there."""
    path = tools_directory() / program
    if not path.exists():
        reason = f"{path.name} is not here; `make tools` installs it"
        if os.environ.get("CI") == "true" or os.environ.get("HOWDAH_REQUIRE_TOOLS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def client_programs() -> Programs:
    """The newest PostgreSQL here that has client programs too; what it dumps may be of an older server."""
    return next(
        found for _, found in sorted(available_programs().items(), reverse=True) if found.has("pg_dump")
    )


def structure(database: DatabaseConfig) -> str:
    """What pg_dump says of the structure, without the history."""
    assert database.password
    text = subprocess.run(
        [
            client_programs().path("pg_dump"),
            "--schema-only",
            *(f"--exclude-table={name}" for name in _HISTORIES),
            "--exclude-schema=howdah",
            f"--host={database.host}",
            f"--port={database.port}",
            f"--username={database.user}",
            database.database,
        ],
        env={"PGPASSWORD": database.password.reveal()},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    # newer programs write a random word into each dump
    return re.sub(r"^\\(un)?restrict .*$", "", text, flags=re.MULTILINE)


def _production(example: Example, address: DatabaseConfig, home: Path) -> dict[str, str]:
    """Addresses without passwords; those are where libpq looks for them."""
    assert address.password
    password = secrets.token_urlsafe(9)
    place = f"{address.host}:{address.port}"
    passfile = home / ".pgpass"
    passfile.write_text(
        f"{place}:*:{example.name}:{password}\n{place}:*:{address.user}:{address.password.reveal()}\n",
        encoding="utf-8",
    )
    passfile.chmod(0o600)
    return {
        "PRODUCTION_URL": f"postgresql://{example.name}@{place}/{example.name}",
        "PRODUCTION_HOST": address.host,
        "PRODUCTION_PORT": address.port,
        "PRODUCTION_PASSWORD": password,
        "ADMIN_URL": f"postgresql://{address.user}@{place}/{address.database}",
    }


def _takes_standins(programs: Programs) -> bool:
    return programs.version.major >= 18


def _free_port() -> int:
    """A port that nobody is given by chance: below those that systems hand out, above LocalServer's own."""
    ports = random.sample(range(30000, 32768), 100)
    return next(port for port in ports if is_free(port))


def _destroy_servers(state: Path) -> None:
    """End what the page started, however it ended."""
    for directory in state.glob("*/"):
        LocalServer(directory).destroy()
