"""Mistakes in what was typed: with `--json` they are one object like every other error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import click


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether `--json`, or `--output json`, is among them; what comes behind `--` is another program's."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in ours or "--output=json" in ours or ("--output", "json") in pairwise(ours)


@contextmanager
def usage_errors(*, is_json: bool) -> Iterator[None]:
    """Tell a usage error as JSON where that was asked for; else click tells it."""
    try:
        yield
    except click.UsageError as error:
        if not is_json:
            raise
        from howdah.cli import exit_codes
        from howdah.cli.answer import Answer, show_answer
        from howdah.findings import Finding

        words = error.ctx.command_path if error.ctx else "howdah"
        message = error.format_message().rstrip(".")
        problem = Finding("bad-usage", message[:1].lower() + message[1:], next=(f"{words} --help",))
        answer = Answer(problems=(problem,), ok=False, exit_code=exit_codes.USAGE)
        show_answer(words.removeprefix("howdah").strip(), answer, as_json=True, quiet=False)
