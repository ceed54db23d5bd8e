"""Every command is: one library call, whose value becomes an Answer, shown as text or as one JSON object."""

from __future__ import annotations

import functools
import json
import logging
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, ParamSpec

import click

from howdah.cli import exit_codes
from howdah.cli.again import in_context
from howdah.cli.render import Progress, show_problem
from howdah.cli.stdout import write_data
from howdah.cli.target import TARGET, target_data
from howdah.config.database import DatabaseConfig
from howdah.connect.known import as_howdah_error
from howdah.errors import HowdahError
from howdah.findings import Finding, Severity

P = ParamSpec("P")
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@dataclass(frozen=True)
class Answer:
    """What a command has to say: data for programs and text for people, of the same library value.

    `text` goes to stdout. `problems` go to stderr, or into the JSON. `ok=False` exits with 1 unless
    `exit_code` says otherwise.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    problems: tuple[Finding, ...] = ()
    ok: bool = True
    target: DatabaseConfig | None = None
    exit_code: int | None = None


def answers(command: str) -> Callable[[Callable[P, Answer]], Callable[P, None]]:
    """Make a click callback of a function that returns an Answer.

    Adds `--json`, `-v` and `-q`, which the function does not see, catches every error but a mistake of
    ours, and exits with the documented code. `--output json`, where a command has that, is `--json`. `-v` shows
    debug log lines and tracebacks; `-q` keeps warnings and errors only.
    """

    def decorate(function: Callable[P, Answer]) -> Callable[P, None]:
        @click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout instead of text.")
        @click.option("-v", "--verbose", is_flag=True, help="Log lines and, after an error, its traceback.")
        @click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
        @functools.wraps(function)
        def callback(*args: P.args, **kwargs: P.kwargs) -> None:
            as_json, verbose, quiet = (bool(kwargs.pop(name)) for name in ("as_json", "verbose", "quiet"))
            as_json = as_json or kwargs.get("output") == "json"
            level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
            # What libraries tell is for those who ask: Alembic, for one, says much that `applied` says too.
            logging.basicConfig(
                level=logging.DEBUG if verbose else logging.WARNING,
                stream=sys.stderr,
                format=_LOG_FORMAT if verbose else "%(message)s",
            )
            logging.getLogger("howdah").setLevel(level)
            # An orchestrator says SIGTERM: what is under way is stopped and rolled back as with Ctrl-C. So it is with
            # a terminal that is closed, but under nohup.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
                signal.signal(signal.SIGHUP, signal.default_int_handler)
            try:
                answer = function(*args, **kwargs)
            except (KeyboardInterrupt, click.Abort):  # the latter at a prompt
                sys.stderr.write("\ninterrupted\n")
                sys.exit(exit_codes.INTERRUPTED)
            except Exception as error:
                known = as_howdah_error(error)
                if not known:
                    raise
                if verbose:
                    logging.getLogger("howdah").debug("traceback of the error below", exc_info=True)
                answer = _answer_of(known)
            answer = replace(answer, problems=tuple(map(in_context, answer.problems)))
            show_answer(command, answer, as_json=as_json, quiet=quiet)

        return callback

    return decorate


def progress_line() -> Progress:
    """The progress of the command that runs, on stderr; silent with `--quiet`."""
    return Progress(quiet=bool(click.get_current_context().params.get("quiet")))


def _answer_of(error: HowdahError) -> Answer:
    code = exit_codes.exit_code_of(error)
    target = click.get_current_context().meta.get(TARGET)
    return Answer(data=error.data, problems=(Finding.of(error),), ok=False, target=target, exit_code=code)


def show_answer(command: str, answer: Answer, *, as_json: bool, quiet: bool) -> NoReturn:
    """Write it as text or as one JSON object, and exit with its code."""
    if as_json:
        envelope = {
            "howdah": 1,
            "command": command,
            "ok": answer.ok,
            "target": target_data(answer.target),
            "data": answer.data,
            "problems": [problem.as_json() for problem in answer.problems],
        }
        write_data(json.dumps(envelope, indent=2, default=str, ensure_ascii=False) + "\n")
    else:
        if answer.text and not quiet:
            write_data(answer.text.rstrip("\n") + "\n")
        for problem in answer.problems:
            if not quiet or problem.severity in (Severity.WARNING, Severity.ERROR):
                show_problem(problem)
    default = exit_codes.DONE if answer.ok else exit_codes.ANSWER_IS_NO
    sys.exit(default if answer.exit_code is None else answer.exit_code)
