"""The keys of howdah.toml. The loader, the JSON schema and the reference page all come from here."""

from __future__ import annotations

from typing import Any

from howdah.config.durations import DURATION
from howdah.config.shape import Flag, Integer, ListOf, Scalar, Table, TableOf, Text

PARTS = ("host", "port", "name", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey")
"""The parts of an address that a variable may hold, besides `url` and `direct-url`."""

_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_NO_SECRETS = "Passwords are never in this file; name the variable that holds it:"


def _variable(help_text: str) -> Text:
    return Text(help_text, _VARIABLE, "the name of an environment variable")


def _name(help_text: str) -> Text:
    return Text(help_text, r".", "a name that is not empty")


_ENV = Table(
    {
        "url": _variable("Variable that holds the whole address."),
        "direct-url": _variable("Variable that holds the address around a pooler."),
        **{part: _variable(f"Variable that holds the address's {part}.") for part in PARTS},
    },
    "The application's own variables for the parts of the address.",
    hints={
        "database": "Did you mean 'name'?",
        "username": "Did you mean 'user'?",
        "direct_url": "Did you mean 'direct-url'?",
    },
)
_DEFAULTS = Table(
    {
        "host": Text("Host where the variable is not set."),
        "port": Integer("Port where the variable is not set.", 1, 65535),
        "name": _name("Name of the database where the variable is not set; without it the key of the table."),
        "user": Text("Role where the variable is not set."),
        "sslmode": Text("sslmode where the variable is not set."),
        "sslrootcert": Text("File of the authority's certificate, relative to this file."),
        "sslcert": Text("File of the client's certificate, relative to this file."),
        "sslkey": Text("File of the client's key, relative to this file."),
    },
    "What the application takes for variables of `env` that are not set.",
    hints={"password": f'{_NO_SECRETS} env = {{ password = "DB_PASSWORD" }}'},
)
_ROLE = Table(
    {
        "login": Flag("Whether the role may log in; true without it."),
        "password-env": _variable("Variable that holds the role's password."),
        "member-of": ListOf(_name("A role."), "Roles whose member it is."),
        "connection-limit": Integer("How many sessions the role may have; -1 for any number.", -1, 262143),
    },
    "A role that `howdah setup` keeps.",
    hints={"password": f'{_NO_SECRETS} password-env = "DB_PASSWORD"'},
)
_GRANT = Table(
    {
        "to": _name("The role that gets the privileges."),
        "privileges": ListOf(
            Text("A privilege, or ALL.", r"^[A-Za-z ]+$", "a privilege such as SELECT"), "What is granted."
        ),
        "on": Text(
            "database, schema NAME, or all tables|sequences|functions in schema NAME.",
            r"^(database|schema .+|all (tables|sequences|functions) in schema .+)$",
            "'database', 'schema NAME' or 'all tables in schema NAME' (or sequences, functions)",
        ),
        "future": Flag("Also for what the owner makes later."),
    },
    "Privileges that `howdah setup` gives.",
    required=("to", "privileges", "on"),
)
_SETUP = Table(
    {
        "owner": _name("The role that owns the database."),
        "encoding": _name("Encoding of a database that is created; the server's own without it."),
        "locale": _name("Locale of a database that is created."),
        "schemas": ListOf(_name("A schema."), "Schemas that must exist."),
        "extensions": ListOf(_name("An extension."), "Extensions that must exist."),
        "role": TableOf(_ROLE, "Roles, by their names.", "Write [database.NAME.setup.role.ROLE]."),
        "grant": ListOf(_GRANT, "Privileges, each a [[database.NAME.setup.grant]]."),
    },
    "What `howdah setup` brings about.",
    hints={
        "roles": "Did you mean 'role'? Write [database.NAME.setup.role.ROLE].",
        "grants": "Did you mean 'grant'?",
    },
)
_FOREIGN = Table(
    {
        "up": ListOf(_name("A word of the command."), "Applies them: the program and its arguments."),
        "down": ListOf(_name("A word of the command."), "Reverts them."),
        "directory": _name("Where the commands are started, relative to this file; its folder without it."),
    },
    "Commands for migrations that only their own tool can run. {version} and {name} stand for the migration.",
    hints={"dir": "Did you mean 'directory'?", "command": "Write `up` and `down`."},
)
_DATABASE = Table(
    {
        "url": _name("The address without its password, or with ${VARIABLE}s in it."),
        "direct-url": _name("The address around a pooler, for locks and changes of the structure."),
        "env": _ENV,
        "defaults": _DEFAULTS,
        "migrations": _name(
            "Directory of the migration files, relative to this file; found by itself without it."
        ),
        "format": _name(
            "The tool whose files and history they are, such as golang-migrate; detected without it."
        ),
        "history-table": _name(
            "Name of the history table where it is not the tool's own: table or schema.table."
        ),
        "out-of-order": Text(
            "What `up` does with a migration older than the newest applied one; what the tool does without it.",
            r"^(refuse|apply|skip)$",
            "refuse, apply or skip",
        ),
        "max-stall": Text(
            "How long the application may wait because of a migration: 500ms, 2s, 1min; 0: without limit.",
            DURATION,
            "a duration such as '500ms', '2s' or '1min'",
        ),
        "variables": TableOf(
            Text("The value, or one with ${VARIABLE}s in it."),
            "What migrations may put in: goose's ENVSUB, Flyway's placeholders. Without it they are refused.",
        ),
        "foreign": _FOREIGN,
        "schema-file": _name(
            "The structure as SQL, relative to this file, to be committed: written by `howdah schema dump`, kept up by"
            " `howdah migrate` where the server is on this machine."
        ),
        "protected": Flag("Destructive commands are refused."),
        "depends-on": ListOf(
            _name("A database of the project."),
            "Databases that `howdah migrate up --all` migrates before this one.",
        ),
        "setup": _SETUP,
        "expect": TableOf(
            Text("The type, as PostgreSQL writes it.", r".", "a type such as 'vector(1024)'"),
            "[schema.]table.column -> type, checked by `howdah doctor`.",
        ),
    },
    "One database of the project.",
    hints={
        "password": f'{_NO_SECRETS} env = {{ password = "DB_PASSWORD" }}',
        "dir": "Did you mean 'migrations'?",
        "schema": "Did you mean 'schema-file'?",
        "extensions": "Extensions belong to [database.NAME.setup].",
        "owner": "The owner belongs to [database.NAME.setup].",
    },
)
_DEV = Table(
    {
        "postgresql": Integer("Major version that production runs; any without it.", 10, 99),
        "bindir": _name("Directory of PostgreSQL's programs, where they must be these."),
        "port": Integer("TCP port on loopback; a free one without it, kept from run to run.", 1, 65535),
        "settings": TableOf(Scalar("The value."), "Settings of postgresql.conf."),
    },
    "The local server of `howdah dev`.",
    hints={"major": "Did you mean 'postgresql'?", "version": "Did you mean 'postgresql'?"},
)
FILE = Table(
    {
        "database": TableOf(_DATABASE, "The databases of the project, by name.", "Write [database.NAME]."),
        "dev": _DEV,
        "env": Table(
            {
                "files": ListOf(
                    _name("A file, relative to this one."),
                    "Read in this order: a later file wins, and the real environment over all.",
                )
            },
            "Files of environment variables.",
        ),
    },
    "A project of howdah.",
    hints={"databases": "Did you mean 'database'? Write [database.NAME]."},
)


def json_schema() -> dict[str, Any]:
    """The JSON schema of howdah.toml, shipped as howdah.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "howdah.toml",
        **FILE.schema(),
    }
