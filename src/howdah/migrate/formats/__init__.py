"""The formats: each a tool's files, history table and lock. Adding one is a module and a name in FORMAT_NAMES."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module

from howdah.errors import ConfigError
from howdah.migrate.formats.interface import Format, TakesVariables

FORMAT_NAMES = ("golang-migrate", "goose", "sqlx", "dbmate", "flyway", "prisma", "alembic", "typeorm")
"""The module `golang_migrate` has the format `GOLANG_MIGRATE`, and so on; it is loaded when it is asked for."""

DEFAULT_FORMAT = FORMAT_NAMES[0]
"""The format where nobody says another."""


def all_formats() -> tuple[Format, ...]:
    """Every format."""
    return tuple(map(find_format, FORMAT_NAMES))


def find_format(name: str, *, variables: Mapping[str, str] | None = None) -> Format:
    """The format of this name, whose files may put in these variables (None: none).

    Raises:
        ConfigError: there is none, or its files take no variables.
    """
    if name not in FORMAT_NAMES:
        raise ConfigError(
            f"there is no format '{name}'",
            code="unknown-format",
            fix=f"The formats are: {', '.join(FORMAT_NAMES)}.",
        )
    module = name.replace("-", "_")
    found: Format = getattr(import_module(f"{__name__}.{module}"), module.upper())
    return found if variables is None else _with_variables(found, variables)


def _with_variables(format: Format, variables: Mapping[str, str]) -> Format:
    if isinstance(format.files, TakesVariables):
        return replace(format, files=format.files.with_variables(variables))
    raise ConfigError(
        f"files of {format.name} take no variables",
        code="no-variables",
        fix="Remove `variables` from the database in howdah.toml.",
    )
