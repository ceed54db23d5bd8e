"""`howdah dev`: up, down, reset, url, psql, logs."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from howdah.cli.answer import Answer, answers, progress_line
from howdah.cli.confirm import confirm_database, confirm_option
from howdah.cli.dev_text import address_lines, database_data, summary_lines, variables_of
from howdah.cli.groups import Area
from howdah.cli.options import config_option, project_options, together
from howdah.cli.target import project_of
from howdah.config.database import DatabaseConfig
from howdah.config.env import print_env
from howdah.config.project import DatabaseSettings, Project
from howdah.config.resolve import pick_database

if TYPE_CHECKING:
    from howdah.dev.up import Up

_FOLLOW_SECONDS = 0.2

_server_options = together(
    click.option(
        "--bindir",
        type=click.Path(path_type=Path),
        envvar="HOWDAH_PG_BINDIR",
        show_envvar=True,
        help="Directory of the PostgreSQL programs to use; without it the best ones here are found.",
    ),
    click.option(
        "--port",
        type=click.IntRange(1, 65535),
        envvar="HOWDAH_DEV_PORT",
        show_envvar=True,
        help="TCP port on loopback; without it the one in howdah.toml, else a free one that is kept.",
    ),
)


@click.group(cls=Area, first="up")
def area() -> None:
    """A local PostgreSQL for this project: no Docker, no root, no account.

    Bare `howdah dev` is `howdah dev up`. The data is kept between runs, outside the repository.

    \b
    howdah dev up                       server, setup, migrations; prints the address
    eval "$(howdah dev url --export)"   the address in this shell's environment
    howdah dev psql -- -c 'SELECT 1'
    howdah dev down
    """  # noqa: D301 - click keeps the lines after a backspace as they are


@area.command()
@_server_options
@config_option
@answers("dev up")
def up(*, config_file: str | None, port: int | None, bindir: Path | None) -> Answer:
    """Start the server, set the databases up, apply the migrations.

    Prints the address in the application's own variables. Again at any time: what is there is left alone.
    """
    return _bring_up(_project(config_file, port), bindir)


@area.command()
@config_option
@answers("dev down")
def down(*, config_file: str | None) -> Answer:
    """Stop the server. The data stays."""
    from howdah.dev.server import project_server

    stopped = project_server(_project(config_file)).stop()
    return Answer(
        data={"stopped": stopped},
        text="stopped; `howdah dev up` starts it again with its data" if stopped else "it was not running",
    )


@area.command()
@confirm_option
@_server_options
@config_option
@answers("dev reset")
def reset(*, config_file: str | None, port: int | None, bindir: Path | None, confirm: str | None) -> Answer:
    """Delete the server with all its data, and bring it up anew."""
    from howdah.dev.server import destroy_server, first_database, project_server

    project = _project(config_file, port)
    if project_server(project).exists:
        # `protected` is for the databases of production; this is the copy on this machine
        address = DatabaseConfig(host="localhost", database=first_database(project))
        confirm_database(address, what="delete the local server with all its data", given=confirm)
    destroy_server(project)
    return _bring_up(project, bindir)


@area.command()
@click.option(
    "--env",
    "as_variables",
    is_flag=True,
    envvar="HOWDAH_DEV_ENV",
    show_envvar=True,
    help="As the application's variables, for a file such as .env.",
)
@click.option(
    "--export",
    "as_exports",
    is_flag=True,
    envvar="HOWDAH_DEV_EXPORT",
    show_envvar=True,
    help="As the application's variables, for a shell and what it starts.",
)
@project_options
@answers("dev url")
def url(*, config_file: str | None, db: str | None, as_variables: bool, as_exports: bool) -> Answer:
    """Print the address, with its password.

    \b
    howdah dev url --env > .env
    eval "$(howdah dev url --export)"
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    from howdah.config.url import format_url
    from howdah.dev.server import running_address

    project = _project(config_file)
    settings = pick_database(project, db)
    address = running_address(project, settings)
    variables = variables_of(settings, address)
    shown = format_url(address, show_password=True)
    lines = print_env(variables, exported=as_exports)
    return Answer(
        data={"url": shown, "variables": variables},
        text=lines if as_variables or as_exports else shown,
        target=address,
    )


@area.command()
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@project_options
@answers("dev psql")
def psql(*, config_file: str | None, db: str | None, arguments: tuple[str, ...]) -> Answer:
    """Open psql on the database; what follows `--` goes to psql.

    Example: howdah dev psql -- -c 'SELECT count(*) FROM users'
    """
    project = _project(config_file)
    _exec_psql(project, pick_database(project, db), arguments)


@area.command()
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    envvar="HOWDAH_DEV_LINES",
    show_envvar=True,
    help="How many of the last lines.",
)
@click.option(
    "-f",
    "--follow",
    is_flag=True,
    envvar="HOWDAH_DEV_FOLLOW",
    show_envvar=True,
    help="Go on showing what is added; Ctrl-C ends it.",
)
@config_option
@answers("dev logs")
def logs(*, config_file: str | None, lines: int, follow: bool) -> Answer:
    """Show the server's log."""
    from howdah.dev.server import project_server

    server = project_server(_project(config_file))
    last = server.log_lines(lines)
    if follow:
        _follow(server.log, last)
    return Answer(data={"file": str(server.log), "lines": last}, text="\n".join(last))


def _project(config_file: str | None, port: int | None = None) -> Project:
    project = project_of(config_file)
    return replace(project, dev=replace(project.dev, port=port)) if port else project


def _bring_up(project: Project, bindir: Path | None) -> Answer:
    from howdah.dev.up import up as bring_up

    with progress_line() as progress:
        result = bring_up(project, bindir=bindir, on_step=progress.doing)
        for line in summary_lines(result):
            progress.note(line)
    return _answer(result)


def _answer(result: Up) -> Answer:
    running = result.running
    return Answer(
        data={
            "server": {
                "version": running.version,
                "why": running.why,
                "stand_ins": list(result.standins),
                "started": running.was_started,
                "created": running.is_new,
                "directory": str(running.server.directory),
            },
            "databases": [database_data(database) for database in result.databases],
        },
        text=address_lines(result),
        problems=result.notes,
        target=result.databases[0].address,
    )


def _exec_psql(project: Project, settings: DatabaseSettings, arguments: tuple[str, ...]) -> NoReturn:
    """Become psql. The password goes by the environment: a command line is visible to all."""
    from howdah.dev.psql import psql_command

    program, environment = psql_command(project, settings)
    sys.stdout.flush()
    os.execve(program, ["psql", *arguments], environment)  # noqa: S606 - no shell is the point


def _follow(file: Path, last: list[str]) -> NoReturn:
    for line in last:
        sys.stdout.write(line + "\n")
    with file.open("rb") as log:
        log.seek(0, os.SEEK_END)
        while True:
            sys.stdout.write(log.read().decode(errors="replace"))
            sys.stdout.flush()
            time.sleep(_FOLLOW_SECONDS)
