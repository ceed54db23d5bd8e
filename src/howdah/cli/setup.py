"""`howdah setup`: roles, databases, owners, grants and extensions."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from howdah.cli import exit_codes
from howdah.cli.answer import Answer, answers, progress_line
from howdah.cli.groups import Area
from howdah.cli.options import exit_code_option, target_options, together
from howdah.cli.setup_text import (
    causes,
    exit_code_of,
    plan_text,
    result_data,
    result_text,
    step_data,
)
from howdah.cli.target import resolve_target
from howdah.config.project import DatabaseSettings
from howdah.config.resolve import Resolved, all_variables
from howdah.errors import ConnectError
from howdah.findings import Finding, Severity

if TYPE_CHECKING:
    from howdah.provision.request import SetupRequest

_setup_options = together(
    target_options,
    click.option(
        "--admin-url",
        metavar="URL",
        envvar="HOWDAH_ADMIN_URL",
        show_envvar=True,
        help="An administrator's address; without it, the application's own role acts."
        " Without a host in it: on the server of the database.",
    ),
    click.option(
        "--extension",
        "extensions",
        multiple=True,
        metavar="NAME",
        envvar="HOWDAH_EXTENSIONS",
        show_envvar=True,
        help="An extension to have besides those of howdah.toml; may be given again.",
    ),
    click.option(
        "--set-passwords",
        is_flag=True,
        envvar="HOWDAH_SET_PASSWORDS",
        show_envvar=True,
        help="Set passwords of roles that are there, where the server does not let us compare them.",
    ),
)


@click.group(cls=Area, first="plan")
def area() -> None:
    """Roles, databases, owners, grants and extensions, as howdah.toml says.

    Without a file: the role of the address, with its password, and its database, owned by it.

    \b
    howdah setup                                   what is there, what is not
    howdah setup apply --admin-url postgresql://postgres@/
    howdah setup plan --sql > setup.sql            for a DBA to run with psql
    """  # noqa: D301 - click keeps the lines after a backspace as they are


@area.command()
@_setup_options
@click.option(
    "--sql", is_flag=True, envvar="HOWDAH_SETUP_SQL", show_envvar=True, help="Print a psql script for a DBA."
)
@exit_code_option
@answers("setup plan")
def plan(
    *,
    url: str | None,
    config_file: str | None,
    db: str | None,
    admin_url: str | None,
    extensions: tuple[str, ...],
    set_passwords: bool,
    sql: bool,
    exit_code: bool,
) -> Answer:
    """Show what is there and what is to do; change nothing.

    \b
    howdah setup plan --url postgresql://kaimu:secret@db.example/kaimu --extension uuid-ossp
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    from howdah.provision.apply import read_plan

    target = resolve_target(url, config_file, db)
    request = _request(target, admin_url, extensions, set_passwords=set_passwords)
    if sql:
        return _answer_script(target, request)
    found = read_plan(request)
    left = len(found.pending) + len(found.blocked)
    return Answer(
        data={"server": found.server, "steps": [step_data(step) for step in found.steps]},
        text=plan_text(found),
        problems=(*target.notes, *causes(found.blocked)),
        ok=not (exit_code and left),
        target=found.target,
    )


@area.command()
@_setup_options
@click.option(
    "--confirm",
    metavar="NAME",
    envvar="HOWDAH_CONFIRM",
    show_envvar=True,
    help="The database's name: also change owners, logins and passwords of a protected database.",
)
@answers("setup apply")
def apply(
    *,
    url: str | None,
    config_file: str | None,
    db: str | None,
    admin_url: str | None,
    extensions: tuple[str, ...],
    set_passwords: bool,
    confirm: str | None,
) -> Answer:
    """Make what is not there; leave the rest alone. May run again at any time.

    \b
    howdah setup apply --admin-url postgresql://postgres:secret@db.example/
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    from howdah.provision.apply import SetupIncomplete, apply_setup

    target = resolve_target(url, config_file, db)
    request = _request(target, admin_url, extensions, set_passwords=set_passwords, confirm=confirm)
    with progress_line() as progress:
        try:
            result = apply_setup(
                request, on_step=lambda step: progress.doing(f"{step.change.what} {step.change.subject}")
            )
        except SetupIncomplete as error:
            result, summary = error.result, Finding.of(error)
            problems = (*(finding for _, finding in result.failed), *causes(result.blocked), summary)
            code = exit_code_of(result)
        else:
            problems, code = (), exit_codes.DONE
    return Answer(
        data=result_data(result),
        text=result_text(result),
        problems=(*target.notes, *problems),
        ok=code == exit_codes.DONE,
        target=result.plan.target,
        exit_code=code,
    )


def _request(
    target: Resolved,
    admin_url: str | None,
    extensions: tuple[str, ...],
    *,
    set_passwords: bool,
    confirm: str | None = None,
) -> SetupRequest:
    from howdah.config.url import parse_url
    from howdah.provision.request import SetupRequest

    return SetupRequest(
        _with_extensions(target.settings, extensions),
        target.direct or target.database,  # a pooler knows no database that is still to be made
        admin=parse_url(admin_url, origin="--admin-url") if admin_url else None,
        environ=all_variables(target.project, os.environ),
        set_passwords=set_passwords,
        confirm=confirm,
    )


def _with_extensions(settings: DatabaseSettings, extensions: tuple[str, ...]) -> DatabaseSettings:
    names = tuple(dict.fromkeys((*settings.setup.extensions, *extensions)))
    return replace(settings, setup=replace(settings.setup, extensions=names))


def _answer_script(target: Resolved, request: SetupRequest) -> Answer:
    from howdah.provision.apply import blind_script, read_script

    notes = target.notes
    try:
        script = read_script(request)
    except ConnectError as error:
        script = blind_script(request)
        note = Finding(
            code=error.code,
            message=f"the server was not asked: {error.message}",
            severity=Severity.WARNING,
            why="The script is for a server that has nothing of this yet; what it has is left alone.",
        )
        notes = (*notes, note)
    return Answer(data={"sql": script}, text=script, problems=notes, target=request.address)
