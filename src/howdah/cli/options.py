"""Options that mean the same in every area."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def together(*options: Option) -> Option:
    """Several options as one; `--help` shows them in this order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


url_option = click.option(
    "--url",
    metavar="URL",
    help="The database. Without it: the project's variables, HOWDAH_URL, DATABASE_URL, DB_*, POSTGRES_*,"
    " PG*, .env, the running dev server; `howdah doctor` says which.",
)
config_option = click.option(
    "--config",
    "config_file",
    envvar="HOWDAH_CONFIG",
    show_envvar=True,
    type=click.Path(),
    help="The project's howdah.toml; found in this folder or above where not given.",
)
db_option = click.option(
    "--db", envvar="HOWDAH_DB", show_envvar=True, metavar="NAME", help="One of the project's databases."
)
project_options = together(config_option, db_option)
target_options = together(url_option, project_options)

wait_option = click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    envvar="HOWDAH_WAIT",
    show_envvar=True,
    help="Wait so long for the server to be ready. Only what may pass by itself is waited for.",
)
exit_code_option = click.option(
    "--exit-code",
    is_flag=True,
    envvar="HOWDAH_EXIT_CODE",
    show_envvar=True,
    help="Exit with 1 where something is to do.",
)
