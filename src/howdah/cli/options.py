"""Options that mean the same in every area."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from howdah.cli.render import Progress
    from howdah.rehearse.verify import Rehearsal

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
all_option = click.option(
    "--all",
    "all_databases",
    is_flag=True,
    envvar="HOWDAH_ALL",
    show_envvar=True,
    help="Every database of the project.",
)
parallel_option = click.option(
    "--parallel",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    envvar="HOWDAH_PARALLEL",
    show_envvar=True,
    help="With --all: so many databases at a time.",
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


def wants_all(all_databases: bool, **others: object) -> bool:
    """Whether `--all` is meant: what is typed goes before what a variable says.

    `others` are the options that say something of one database, by their parameters' names.

    Raises:
        UsageError: one of them is given, too.
    """
    context = click.get_current_context()
    if not all_databases:
        return False
    by = {
        name: context.get_parameter_source(name)
        for name, value in others.items()
        if value not in (None, False)
    }
    typed = [name for name, source in by.items() if source is ParameterSource.COMMANDLINE]
    is_typed = context.get_parameter_source("all_databases") is ParameterSource.COMMANDLINE
    if typed and not is_typed:
        return False
    if conflicts := typed if is_typed else list(by):
        flags = {param.name: param.opts[0] for param in context.command.params}
        raise click.UsageError(f"--all is every database of the project; {flags[conflicts[0]]} is for one")
    return True


directory_option = click.option(
    "--dir",
    "directory",
    envvar="HOWDAH_DIR",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The migration files; found under the project where there is one such folder.",
)
rehearse_option = click.option(
    "--rehearse-url",
    envvar="HOWDAH_REHEARSE_URL",
    show_envvar=True,
    metavar="URL",
    help="A server on which to make databases and drop them; without it one is started, and deleted at the end.",
)


def rehearsal_of(options: dict[str, Any], progress: Progress) -> Rehearsal:
    """Where to replay migrations, and whom to tell."""
    from howdah.config.url import parse_url
    from howdah.rehearse.verify import Rehearsal

    url = options["rehearse_url"]
    return Rehearsal(at=parse_url(url, origin="--rehearse-url") if url else None, on_step=progress.doing)
