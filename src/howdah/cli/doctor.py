"""`howdah doctor`: why can I not connect, what is set up wrong, and what to type next."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from howdah.cli import exit_codes
from howdah.cli.again import with_given_options
from howdah.cli.answer import Answer, answers, progress_line
from howdah.cli.options import target_options, wait_option
from howdah.cli.render import coloured
from howdah.cli.target import resolve_target
from howdah.config.url import format_url
from howdah.findings import Finding, Severity

if TYPE_CHECKING:
    from howdah.config.database import DatabaseConfig
    from howdah.config.resolve import Resolved
    from howdah.doctor.checkup import Checkup, Result
    from howdah.errors import ConnectError

_MARKS = {
    Severity.OK: ("✓", "32"),
    Severity.INFO: ("✓", "32"),
    Severity.WARNING: ("!", "33"),
    Severity.ERROR: ("✗", "31"),
}


@click.command()
@target_options
@wait_option
@click.option(
    "--print-env",
    is_flag=True,
    envvar="HOWDAH_PRINT_ENV",
    show_envvar=True,
    help="Print the address as the application's variables (those of howdah.toml, else PG*), with the"
    " password; connect to nothing.",
)
@click.option(
    "--print-url",
    is_flag=True,
    envvar="HOWDAH_PRINT_URL",
    show_envvar=True,
    help="Print the address as one URL, with the password; connect to nothing.",
)
@answers("doctor")
def area(
    *,
    url: str | None,
    config_file: str | None,
    db: str | None,
    wait: float,
    print_env: bool,
    print_url: bool,
) -> Answer:
    """Examine a connection step by step, and say what to type next. Changes nothing.

    Where the address came from, the host's name, the network, TLS, the login, the database, the role's rights,
    extensions, a pooler in between, the server's version, the migrations. Exits with 0 where all is well, 1 where
    something is not, 3 where no session can be opened.

    \b
    howdah doctor
    howdah doctor --url postgresql://app@db.example.test/app?sslmode=require
    howdah doctor --wait 30                                 until the server is ready
    howdah doctor --url "$MANAGED_URL" --print-env >> .env  a URL as the application's variables
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    target = resolve_target(url, config_file, db)
    if print_env:
        return _variables(target)
    if print_url:
        return _url(target.database)
    if wait:
        _wait(target.database, wait)
    return _examine(target)


def _examine(target: Resolved) -> Answer:
    from howdah.doctor.checkup import examine

    with progress_line() as progress:
        checkup = examine(target, on_result=lambda result: progress.doing(f"{result.name}: {result.summary}"))
    exit_code = exit_codes.DONE if checkup.is_fine else exit_codes.ANSWER_IS_NO
    command = with_given_options(checkup.next)
    return Answer(
        data={"checks": [_as_json(result) for result in checkup.results], "next": command},
        text=_text(checkup, command),
        problems=_problems(checkup),
        ok=checkup.is_fine,
        target=target.database,
        exit_code=exit_code if checkup.is_connected else exit_codes.CANNOT_CONNECT,
    )


def _text(checkup: Checkup, command: str) -> str:
    from howdah.connect.diagnosis import shown_target

    width = max(len(result.name) for result in checkup.results)
    lines = [shown_target(checkup.subject.database), ""]
    for result in checkup.results:
        if result.severity is not None:
            mark, colour = _MARKS[result.severity]
            mark = coloured(_printable(mark), colour, sys.stdout)
            lines.append(f"{mark} {result.name:<{width}}  {result.summary}")
    skipped = [result for result in checkup.results if result.severity is None]
    lines += [f"- {', '.join(result.name for result in skipped)}: {skipped[0].summary}"] if skipped else []
    lines += [] if checkup.findings else ["", f"All is well. Next: {command}"]
    return "\n".join(lines)


def _printable(mark: str) -> str:
    try:
        mark.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return {"✓": "+", "✗": "x"}[mark]
    return mark


def _problems(checkup: Checkup) -> tuple[Finding, ...]:
    """What is to tell, the gravest last, so that the output ends with the command to type."""
    found = list(checkup.findings)
    if found and not found[-1].next:
        found[-1] = replace(found[-1], next=(checkup.next,))
    return tuple(found)


def _as_json(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "result": result.severity.value if result.severity else "not-checked",
        "summary": result.summary,
    }


def _wait(database: DatabaseConfig, limit_seconds: float) -> None:
    """Return when the server takes sessions; what comes instead is the examination's to explain."""
    from howdah.connect.session import wait_for_session
    from howdah.errors import ConnectError

    with progress_line() as progress:

        def tell(error: ConnectError, left: float) -> None:
            progress.doing(f"waiting, at most {left:.0f} s more: {error.message}")

        try:
            wait_for_session(
                database, application_name="howdah doctor", limit_seconds=limit_seconds, on_wait=tell
            ).close()
        except ConnectError:
            return


def _variables(target: Resolved) -> Answer:
    from howdah.config.env import as_variables, left_out, libpq_variables, print_env

    names: Mapping[str, str] = target.settings.env or libpq_variables()
    variables = as_variables(target.database, names)
    problems = tuple(
        Finding(
            code="option-without-variable",
            message=f"no variable of the application takes the address's {keyword}",
            severity=Severity.WARNING,
            fix=f"Name one in [database.{target.settings.name}.env] of howdah.toml: a variable for `{keyword}`, or"
            " for the whole `url`, where that key is not known there.",
        )
        for keyword in left_out(target.database, names)
    )
    return Answer(data=variables, text=print_env(variables), problems=problems, target=target.database)


def _url(database: DatabaseConfig) -> Answer:
    url = format_url(database, show_password=True)
    return Answer(data={"url": url}, text=url, target=database)
