"""The real programs beside howdah, each with its files, its commands and its history table."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from fix_cli import Ran
from fix_peers_changes import Change
from fix_server import tools_directory
from howdah.config.database import DatabaseConfig
from peers import TOOLS


@dataclass(frozen=True)
class Call:
    """A command line, and the variables it wants."""

    arguments: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)


def plain_url(database: DatabaseConfig) -> str:
    """The address as every tool understands it."""
    password = f":{quote(database.password.reveal(), safe='')}" if database.password else ""
    return (
        f"postgres://{quote(database.user, safe='')}{password}@{database.host}:{database.port}"
        f"/{quote(database.database, safe='')}?sslmode=disable"
    )


@dataclass(frozen=True)
class Peer(ABC):
    """One way to run one tool.

    Attributes:
        name: what it is called in the tests and in the published table.
        tool: its program's name in tools/peers.py.
        format: howdah's name of what it keeps.
        table: its history table.
        columns: what is compared of that table: all but ids, times and durations.
        order: in which order its rows are compared.
        locks: whether it holds a lock while it runs.
        out_of_order: what it does with a file below the newest applied one: refuse, apply or skip it.
    """

    name: str
    tool: str
    format: str
    table: str
    columns: str
    order: str
    locks: bool
    out_of_order: str

    @property
    def program(self) -> Path:
        return TOOLS[self.tool].path()

    @abstractmethod
    def version(self, number: int) -> str:
        """A change's number as howdah's version."""

    @abstractmethod
    def write(self, directory: Path, changes: tuple[Change, ...]) -> None:
        """Write the files of these changes, and what else the tool wants to find."""

    @abstractmethod
    def up(self, database: DatabaseConfig, directory: Path, to: int | None) -> Call:
        """Apply what is pending, up to a change where the tool knows targets (`has_target`)."""

    @abstractmethod
    def down(self, database: DatabaseConfig, directory: Path, below: int) -> Call:
        """Revert the newest change; `below` is the number of the one before, or 0."""

    @abstractmethod
    def status(self, database: DatabaseConfig, directory: Path) -> Call:
        """Its own judgement of a database to which everything is applied."""

    @abstractmethod
    def is_content(self, ran: Ran) -> bool:
        """Whether what `status` said means: all applied, nothing wrong."""

    def foreign(self, directory: Path) -> Mapping[str, list[str]]:
        """The commands that howdah.toml names for steps that only the tool can run."""
        return {}

    @property
    def runs_all_itself(self) -> bool:
        """Whether howdah hands every change to the tool."""
        return self.format in ("alembic", "typeorm")

    @property
    def is_old(self) -> bool:
        """Whether its table differs from what the tool makes today."""
        return self.tool == "goose-3.21"

    # Whether `up` can stop at a change; else a directory with fewer files says where to stop.
    has_target = True


class GolangMigrate(Peer):
    def version(self, number: int) -> str:
        return str(number)

    def write(self, directory: Path, changes: tuple[Change, ...]) -> None:
        for change in changes:
            stem = f"{change.number:06}_{change.name}"
            _write(directory / f"{stem}.up.sql", _script(change.up))
            _write(directory / f"{stem}.down.sql", _script(change.down))

    def up(self, database: DatabaseConfig, directory: Path, to: int | None) -> Call:
        return self._call(database, directory, *(("up",) if to is None else ("goto", str(to))))

    def down(self, database: DatabaseConfig, directory: Path, below: int) -> Call:
        return self._call(database, directory, "down", "1")

    def status(self, database: DatabaseConfig, directory: Path) -> Call:
        return self._call(database, directory, "up")

    def is_content(self, ran: Ran) -> bool:
        return ran.code == 0 and ran.stderr.strip() == "no change"

    def _call(self, database: DatabaseConfig, directory: Path, *words: str) -> Call:
        where = ("-path", str(directory), "-database", plain_url(database))
        return Call((str(self.program), *where, *words))


class Goose(Peer):
    def version(self, number: int) -> str:
        return str(number)

    def write(self, directory: Path, changes: tuple[Change, ...]) -> None:
        for change in changes:
            lines = [] if change.transactional else ["-- +goose NO TRANSACTION"]
            lines += ["-- +goose Up", *map(_goose_statement, change.up), ""]
            lines += ["-- +goose Down", *map(_goose_statement, change.down)]
            _write(directory / f"{change.number:05}_{change.name}.sql", "\n".join(lines) + "\n")

    def up(self, database: DatabaseConfig, directory: Path, to: int | None) -> Call:
        return self._call(database, directory, *(("up",) if to is None else ("up-to", str(to))))

    def down(self, database: DatabaseConfig, directory: Path, below: int) -> Call:
        return self._call(database, directory, "down")

    def status(self, database: DatabaseConfig, directory: Path) -> Call:
        return self._call(database, directory, "status")

    def is_content(self, ran: Ran) -> bool:
        return ran.code == 0 and "Pending" not in ran.stderr

    def _call(self, database: DatabaseConfig, directory: Path, *words: str) -> Call:
        return Call((str(self.program), "-dir", str(directory), "postgres", plain_url(database), *words))


class GooseProvider(Goose):
    def is_content(self, ran: Ran) -> bool:
        return ran.code == 0

    def _call(self, database: DatabaseConfig, directory: Path, *words: str) -> Call:
        return Call((str(self.program), str(directory), *words), {"DATABASE_URL": plain_url(database)})


class Sqlx(Peer):
    def version(self, number: int) -> str:
        return str(20240101000000 + number)

    def write(self, directory: Path, changes: tuple[Change, ...]) -> None:
        for change in changes:
            stem = f"{self.version(change.number)}_{change.name}"
            head = "" if change.transactional else "-- no-transaction\n"
            _write(directory / f"{stem}.up.sql", head + _script(change.up))
            _write(directory / f"{stem}.down.sql", head + _script(change.down))

    def up(self, database: DatabaseConfig, directory: Path, to: int | None) -> Call:
        target = () if to is None else ("--target-version", self.version(to))
        return self._call(database, directory, "run", *target)

    def down(self, database: DatabaseConfig, directory: Path, below: int) -> Call:
        return self._call(database, directory, "revert")

    def status(self, database: DatabaseConfig, directory: Path) -> Call:
        return self._call(database, directory, "info")

    def is_content(self, ran: Ran) -> bool:
        lines = _without_colours(ran.stdout).splitlines()
        return (
            ran.code == 0 and bool(lines) and all(re.match(r"\d+/installed [^(]*$", each) for each in lines)
        )

    def _call(self, database: DatabaseConfig, directory: Path, verb: str, *words: str) -> Call:
        where = ("--source", str(directory), "--no-dotenv", "--database-url", plain_url(database))
        return Call((str(self.program), "migrate", verb, *where, *words))


class SqlxEmbed(Sqlx):
    has_target = False

    def up(self, database: DatabaseConfig, directory: Path, to: int | None) -> Call:
        return self._call(database, directory, "run")

    def down(self, database: DatabaseConfig, directory: Path, below: int) -> Call:
        return self._call(database, directory, "undo", self.version(below) if below else "0")

    def status(self, database: DatabaseConfig, directory: Path) -> Call:
        return self._call(database, directory, "validate")

    def is_content(self, ran: Ran) -> bool:
        return ran.code == 0

    def _call(self, database: DatabaseConfig, directory: Path, verb: str, *words: str) -> Call:
        arguments = (str(self.program), str(directory), verb, *words)
        return Call(arguments, {"DATABASE_URL": plain_url(database)})


class Dbmate(Peer):
    has_target = False

    def version(self, number: int) -> str:
        return str(20240101000000 + number)

    def write(self, directory: Path, changes: tuple[Change, ...]) -> None:
        for change in changes:
            option = "" if change.transactional else " transaction:false"
            text = f"-- migrate:up{option}\n{_script(change.up)}\n-- migrate:down{option}\n{_script(change.down)}"
            _write(directory / f"{self.version(change.number)}_{change.name}.sql", text)

    def up(self, database: DatabaseConfig, directory: Path, to: int | None) -> Call:
        return self._call(database, directory, "migrate")

    def down(self, database: DatabaseConfig, directory: Path, below: int) -> Call:
        return self._call(database, directory, "rollback")

    def status(self, database: DatabaseConfig, directory: Path) -> Call:
        return self._call(database, directory, "status", "--exit-code")

    def is_content(self, ran: Ran) -> bool:
        return ran.code == 0 and "Pending: 0" in ran.stdout

    def _call(self, database: DatabaseConfig, directory: Path, *words: str) -> Call:
        schema = ("--no-dump-schema",)
        where = ("--url", plain_url(database), "--migrations-dir", str(directory))
        return Call((str(self.program), *where, *schema, *words))


_ENV_PY = """\
import os
from alembic import context
from sqlalchemy import create_engine, pool

url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql://")
url = url.replace("postgresql://", "postgresql+psycopg://")
engine = create_engine(url, poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""


class Alembic(Peer):
    def version(self, number: int) -> str:
        return f"{number:012x}"

    def write(self, directory: Path, changes: tuple[Change, ...]) -> None:
        (directory / "versions").mkdir(exist_ok=True)
        _write(directory / "env.py", _ENV_PY)
        _write(directory.parent / "alembic.ini", f"[alembic]\nscript_location = {directory}\n")
        before: str | None = None
        for change in changes:
            revision = self.version(change.number)
            lines = [
                f'"""{change.name}"""',
                "from alembic import op",
                f"revision = {revision!r}",
                f"down_revision = {before!r}",
                "def upgrade():",
                *_python_body(change, change.up),
                "def downgrade():",
                *_python_body(change, change.down),
            ]
            _write(directory / "versions" / f"{revision}_{change.name}.py", "\n".join(lines) + "\n")
            before = revision

    def up(self, database: DatabaseConfig, directory: Path, to: int | None) -> Call:
        return self._call(database, directory, "upgrade", "head" if to is None else self.version(to))

    def down(self, database: DatabaseConfig, directory: Path, below: int) -> Call:
        return self._call(database, directory, "downgrade", "-1")

    def status(self, database: DatabaseConfig, directory: Path) -> Call:
        return self._call(database, directory, "current", "--check-heads")

    def is_content(self, ran: Ran) -> bool:
        return ran.code == 0 and "(head)" in ran.stdout

    def _call(self, database: DatabaseConfig, directory: Path, *words: str) -> Call:
        ini = str(directory.parent / "alembic.ini")
        return Call((str(self.program), "--config", ini, *words), {"DATABASE_URL": plain_url(database)})


_DATA_SOURCE = """\
const { readdirSync } = require("fs");
const { DataSource } = require(process.env.TYPEORM_HOME);

const until = process.env.UNTIL ? Number(process.env.UNTIL.slice(-13)) : Infinity;
const files = readdirSync(__dirname + "/migrations").filter((name) => Number(name.slice(0, 13)) <= until);
module.exports = new DataSource({
  type: "postgres",
  url: process.env.DATABASE_URL,
  migrations: files.map((name) => __dirname + "/migrations/" + name),
  migrationsTransactionMode: "each",
});
"""


class Typeorm(Peer):
    def version(self, number: int) -> str:
        return str(1700000000000 + number)

    def write(self, directory: Path, changes: tuple[Change, ...]) -> None:
        _write(directory.parent / "data-source.js", _DATA_SOURCE)
        for change in changes:
            stamp = self.version(change.number)
            name = change.name.title().replace("_", "")
            lines = [
                f"module.exports.{name} = class {name}{stamp} {{",
                *([] if change.transactional else ["  transaction = false;"]),
                "  async up(queryRunner) {",
                *(f"    await queryRunner.query({json.dumps(each)});" for each in change.up),
                "  }",
                "  async down(queryRunner) {",
                *(f"    await queryRunner.query({json.dumps(each)});" for each in change.down),
                "  }",
                "};",
            ]
            _write(directory / f"{stamp}-{name}.js", "\n".join(lines) + "\n")

    def up(self, database: DatabaseConfig, directory: Path, to: int | None) -> Call:
        until = {} if to is None else {"UNTIL": self.version(to)}
        return self._call(database, directory, "migration:run", **until)

    def down(self, database: DatabaseConfig, directory: Path, below: int) -> Call:
        return self._call(database, directory, *self._revert)

    def status(self, database: DatabaseConfig, directory: Path) -> Call:
        return self._call(database, directory, "migration:show")

    def is_content(self, ran: Ran) -> bool:
        return ran.code == 0 and "[X]" in ran.stdout and "[ ]" not in ran.stdout

    def foreign(self, directory: Path) -> Mapping[str, list[str]]:
        source = ["-d", str(directory.parent / "data-source.js")]
        program = ["env", f"TYPEORM_HOME={self._home}", str(self.program)]
        return {
            "up": [*program[:2], "UNTIL={version}", *program[2:], "migration:run", *source],
            "down": [*program, *self._revert, *source],
        }

    @property
    def _home(self) -> str:
        return str(tools_directory() / "typeorm" / "node_modules" / "typeorm")

    # In a transaction of its own, whatever the class says, unless none at all is asked for.
    _revert = ("migration:revert", "-t", "none")

    def _call(self, database: DatabaseConfig, directory: Path, *words: str, **environ: str) -> Call:
        source = str(directory.parent / "data-source.js")
        variables = {"DATABASE_URL": plain_url(database), "TYPEORM_HOME": self._home, **environ}
        return Call((str(self.program), *words, "-d", source), variables)


def _write(file: Path, text: str) -> None:
    file.write_bytes(text.encode())


def _script(statements: tuple[str, ...]) -> str:
    return "".join(f"{each};\n" for each in statements)


def _goose_statement(statement: str) -> str:
    # What goose's own splitter would cut.
    if "\n" not in statement and "--" not in statement:
        return f"{statement};"
    return f"-- +goose StatementBegin\n{statement};\n-- +goose StatementEnd"


def _python_body(change: Change, statements: tuple[str, ...]) -> list[str]:
    calls = [f"op.execute({each!r})" for each in statements]
    if change.transactional:
        return [f"    {each}" for each in calls]
    return ["    with op.get_context().autocommit_block():", *(f"        {each}" for each in calls)]


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _every_row(table: str) -> dict[str, str]:
    return {"table": table}


_MIGRATE = {
    "format": "golang-migrate",
    "table": "schema_migrations",
    "columns": "version, dirty",
    "order": "version",
}
_GOOSE = {"format": "goose", "table": "goose_db_version", "columns": "version_id, is_applied", "order": "id"}
_SQLX = {
    "format": "sqlx",
    "table": "_sqlx_migrations",
    "columns": "version, description, success, encode(checksum, 'hex')",
    "order": "version",
}

PEERS: tuple[Peer, ...] = (
    GolangMigrate("golang-migrate", "migrate", locks=True, out_of_order="skip", **_MIGRATE),
    GolangMigrate("golang-migrate 4.14", "migrate-4.14", locks=True, out_of_order="skip", **_MIGRATE),
    Goose("goose", "goose", locks=False, out_of_order="refuse", **_GOOSE),
    Goose("goose 3.21", "goose-3.21", locks=False, out_of_order="refuse", **_GOOSE),
    GooseProvider("goose Provider", "goose-provider", locks=True, out_of_order="refuse", **_GOOSE),
    Sqlx("sqlx", "sqlx", locks=False, out_of_order="apply", **_SQLX),
    SqlxEmbed("sqlx migrate!", "sqlx-embed", locks=True, out_of_order="apply", **_SQLX),
    Dbmate(
        name="dbmate",
        tool="dbmate",
        format="dbmate",
        table="schema_migrations",
        columns="version",
        order="version",
        locks=False,
        out_of_order="apply",
    ),
    Alembic(
        name="alembic",
        tool="alembic",
        format="alembic",
        table="alembic_version",
        columns="version_num",
        order="version_num",
        locks=False,
        out_of_order="",
    ),
    Typeorm(
        name="typeorm",
        tool="typeorm",
        format="typeorm",
        table="migrations",
        columns='"timestamp", name',
        order="id",
        locks=False,
        out_of_order="apply",
    ),
)
