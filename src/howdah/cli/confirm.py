"""Ask before what cannot be undone: the database's name, typed on a terminal, given as --confirm elsewhere."""

from __future__ import annotations

import sys

import click

from howdah.config.database import DatabaseConfig
from howdah.errors import RefusedError

confirm_option = click.option(
    "--confirm",
    envvar="HOWDAH_CONFIRM",
    show_envvar=True,
    metavar="NAME",
    help="The database's name, to go ahead without being asked.",
)


def confirm_database(
    database: DatabaseConfig, *, what: str, given: str | None, is_protected: bool = False
) -> None:
    """Go on only where the database's name was typed.

    Raises:
        RefusedError: the database is protected; no name was given, or another one.
    """
    if is_protected:
        raise RefusedError(
            f"{database.target} is protected: will not {what}",
            code="protected",
            fix="Take `protected = true` out of howdah.toml, if that is what you want.",
        )
    name = given
    if name is None and sys.stdin.isatty():
        sys.stderr.write(f"This will {what} on {database.target}.\n")
        name = click.prompt(f"Type the database's name ({database.database}) to go on", err=True)
    if name is None:
        raise RefusedError(
            f"will not {what} on {database.target} unasked",
            code="not-confirmed",
            fix=f"Add --confirm {database.database}.",
        )
    if name != database.database:
        raise RefusedError(
            f"'{name}' is not the database's name; nothing was changed",
            code="not-confirmed",
            why=f"The database is '{database.database}'.",
        )
