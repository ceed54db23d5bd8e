"""The formats: each a tool's files, history table and lock. Adding one is a file and a line in FORMATS."""

from __future__ import annotations

from howdah.errors import ConfigError
from howdah.migrate.formats.alembic import ALEMBIC
from howdah.migrate.formats.dbmate import DBMATE
from howdah.migrate.formats.flyway import FLYWAY
from howdah.migrate.formats.golang_migrate import GOLANG_MIGRATE
from howdah.migrate.formats.goose import GOOSE
from howdah.migrate.formats.interface import Format
from howdah.migrate.formats.prisma import PRISMA
from howdah.migrate.formats.sqlx import SQLX
from howdah.migrate.formats.typeorm import TYPEORM

FORMATS: tuple[Format, ...] = (GOLANG_MIGRATE, GOOSE, SQLX, DBMATE, FLYWAY, PRISMA, ALEMBIC, TYPEORM)

DEFAULT_FORMAT = GOLANG_MIGRATE.name
"""The format where nobody says another."""


def find_format(name: str) -> Format:
    """The format of this name.

    Raises:
        ConfigError: there is none.
    """
    for each in FORMATS:
        if each.name == name:
            return each
    raise ConfigError(
        f"there is no format '{name}'",
        code="unknown-format",
        fix=f"The formats are: {', '.join(each.name for each in FORMATS)}.",
    )
