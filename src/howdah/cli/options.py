"""Options that mean the same in every area."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def project_options(function: F) -> F:
    """`--config` and `--db`: which project, which of its databases."""
    function = click.option(
        "--db", envvar="HOWDAH_DB", show_envvar=True, metavar="NAME", help="One of the project's databases."
    )(function)
    return click.option(
        "--config",
        "config_file",
        envvar="HOWDAH_CONFIG",
        show_envvar=True,
        type=click.Path(),
        help="The project's howdah.toml; found in this folder or above where not given.",
    )(function)


def target_options(function: F) -> F:
    """`--url` and the project options: which database to act on."""
    return click.option(
        "--url",
        metavar="URL",
        help="The database. Without it: the project's variables, HOWDAH_URL, DATABASE_URL, DB_*, POSTGRES_*,"
        " PG*, .env, the running dev server; `howdah doctor` says which.",
    )(project_options(function))
