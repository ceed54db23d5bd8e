"""The address as env.py wants it: a URL of SQLAlchemy's, for the driver that the project uses."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from howdah.config.database import DatabaseConfig
from howdah.migrate.formats.alembic.places import Places
from howdah.migrate.variables import database_variables

if TYPE_CHECKING:
    from alembic.config import Config

_DRIVER = re.compile(r"postgres(?:ql)?\+(\w+)://")
_URL_LINE = re.compile(r"^\s*(?:export\s+)?DATABASE_URL\s*=\s*[\"']?(postgres\w*\+\w+)://", re.MULTILINE)
_DEFAULT = "psycopg"
# Drivers that hand libpq's keywords on to libpq; the others find them in the PG* variables or not at all.
_LIBPQ = {"psycopg", "psycopg2"}


def sqlalchemy_url(config: Config, places: Places, database: DatabaseConfig) -> str:
    """For the driver that alembic.ini, the project's DATABASE_URL or env.py names; psycopg where none is installed."""
    from sqlalchemy import URL

    driver = next((each for each in _named_drivers(config, places) if find_spec(each)), _DEFAULT)
    query = dict(database.options) if driver in _LIBPQ else {}
    # Several hosts and sockets have no place in SQLAlchemy's authority.
    is_plain = bool(database.host) and "," not in database.host and not database.host.startswith("/")
    if not is_plain:
        query |= {key: value for key, value in (("host", database.host), ("port", database.port)) if value}
    return URL.create(
        f"postgresql+{driver}",
        username=database.user or None,
        password=database.password.reveal() if database.password else None,
        host=database.host if is_plain else None,
        port=int(database.port) if is_plain and database.port else None,
        database=database.database or None,
        query=query,
    ).render_as_string(hide_password=False)


def variables_for(places: Places, database: DatabaseConfig) -> dict[str, str]:
    """The environment for env.py: this database's, DATABASE_URL with the scheme that the project writes there."""
    variables = database_variables(os.environ, database)
    scheme = _own_scheme(os.environ, places.home)
    if scheme:
        variables["DATABASE_URL"] = variables["DATABASE_URL"].replace("postgresql://", f"{scheme}://", 1)
    return variables


def _named_drivers(config: Config, places: Places) -> list[str]:
    ini = config.file_config.get(config.config_ini_section, "sqlalchemy.url", raw=True, fallback="")
    scheme = _own_scheme(os.environ, places.home) or ""
    env = (places.script / "env.py").read_text(encoding="utf-8", errors="replace") if places.script else ""
    found = [match[1] for text in (ini, f"{scheme}://", env) for match in _DRIVER.finditer(text)]
    return [*found, "asyncpg"] if re.search(r"\basyncpg\b", env) else found


def _own_scheme(environ: Mapping[str, str], home: Path) -> str | None:
    """`postgresql+asyncpg`, say: how DATABASE_URL begins in the environment, or else in .env."""
    said = environ.get("DATABASE_URL", "")
    if _DRIVER.match(said):
        return said.partition("://")[0]
    file = home / ".env"
    found = (
        None if said or not file.is_file() else _URL_LINE.search(file.read_text("utf-8", errors="replace"))
    )
    return found[1] if found else None
