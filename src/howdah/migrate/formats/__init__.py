"""The formats: each a tool's files, history table and lock. Adding one is a file and a line in FORMATS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from howdah.errors import ConfigError
from howdah.migrate.formats.alembic import ALEMBIC
from howdah.migrate.formats.dbmate import DBMATE
from howdah.migrate.formats.flyway import FLYWAY
from howdah.migrate.formats.golang_migrate import GOLANG_MIGRATE
from howdah.migrate.formats.goose import GOOSE
from howdah.migrate.formats.interface import Format, TakesVariables
from howdah.migrate.formats.prisma import PRISMA
from howdah.migrate.formats.sqlx import SQLX
from howdah.migrate.formats.typeorm import TYPEORM

FORMATS: tuple[Format, ...] = (GOLANG_MIGRATE, GOOSE, SQLX, DBMATE, FLYWAY, PRISMA, ALEMBIC, TYPEORM)

DEFAULT_FORMAT = GOLANG_MIGRATE.name
"""The format where nobody says another."""


def find_format(name: str, *, variables: Mapping[str, str] | None = None) -> Format:
    """The format of this name, whose files may put in these variables (None: none).

    Raises:
        ConfigError: there is none, or its files take no variables.
    """
    for each in FORMATS:
        if each.name == name:
            return each if variables is None else _with_variables(each, variables)
    raise ConfigError(
        f"there is no format '{name}'",
        code="unknown-format",
        fix=f"The formats are: {', '.join(each.name for each in FORMATS)}.",
    )


def _with_variables(format: Format, variables: Mapping[str, str]) -> Format:
    if isinstance(format.files, TakesVariables):
        return replace(format, files=format.files.with_variables(variables))
    raise ConfigError(
        f"files of {format.name} take no variables",
        code="no-variables",
        fix="Remove `variables` from the database in howdah.toml.",
    )
