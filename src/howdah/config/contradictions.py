"""What the environment says beside the address that won, and what is not used of it. Never a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from howdah.config.database import DatabaseConfig
from howdah.config.env import CONVENTIONS, Convention, Layer, find_part, read_convention
from howdah.config.keywords import DEFAULT_PORT
from howdah.errors import ConfigError
from howdah.findings import Finding, Severity


def find_contradictions(
    winner: Convention,
    database: DatabaseConfig,
    direct: DatabaseConfig | None,
    layers: Sequence[Layer],
    *,
    is_apart: bool,
) -> Iterator[Finding]:
    """Warnings about variables that name another database or hold a password that is not used.

    A database `is_apart` that has an address of its own where the others of the project share the common variables.
    """
    for convention in () if is_apart else CONVENTIONS:
        is_other = convention != winner and _is_complete(convention, layers)
        if is_other and _names_another(database, convention, layers):
            yield Finding(
                "contradicting-variables",
                f"{convention.name} names another database than {winner.name}, and is not used",
                Severity.WARNING,
                why="The first place that names a database wins.",
                fix="Unset the variables that are not meant, or name the database with --url.",
            )
    unused = None if database.password else _foreign_password(winner, layers)
    if unused:
        yield Finding(
            "unused-password",
            f"{winner.name} has no password, and {unused} is not used for it",
            Severity.WARNING,
            why="Parts of an address are never put together from two sets of variables.",
            fix="Set the password's variable that belongs to the others.",
        )
    if direct and direct.database and database.database and direct.database != database.database:
        yield Finding(
            "contradicting-direct-url",
            f"the direct address names the database {direct.database}, the other one {database.database}",
            Severity.WARNING,
            why="Both must lead to the same database: one through a pooler, the other around it.",
        )


def _is_complete(convention: Convention, layers: Sequence[Layer]) -> bool:
    if find_part(convention, "url", layers):
        return True
    return all(find_part(convention, part, layers) for part in ("host", "name"))


def _names_another(database: DatabaseConfig, convention: Convention, layers: Sequence[Layer]) -> bool:
    try:
        other = read_convention(convention, layers)
    except ConfigError:
        return True

    def place(config: DatabaseConfig) -> tuple[str, ...]:
        return config.host, config.port or DEFAULT_PORT, config.database

    return place(database) != place(other)


def _foreign_password(winner: Convention, layers: Sequence[Layer]) -> str | None:
    # PGPASSWORD is libpq's own and serves every address; it is filled in and its origin says so.
    others = (convention for convention in CONVENTIONS if convention not in (winner, CONVENTIONS[-1]))
    found = (find_part(convention, "password", layers) for convention in others)
    return next((password.origin for password in found if password), None)
