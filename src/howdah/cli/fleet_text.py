"""What commands over many databases show: the values of howdah.fleet as text and as JSON."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from howdah.cli import exit_codes
from howdah.cli.fleet_problems import of_databases
from howdah.cli.render import coloured, duration, printable, shown_width, table
from howdah.cli.target import target_data
from howdah.findings import Finding, Severity
from howdah.fleet.outcome import Ending

if TYPE_CHECKING:
    from howdah.config.database import DatabaseConfig
    from howdah.fleet.outcome import DatabaseOutcome, Outcome
    from howdah.fleet.status import DatabaseStatus

_COLOURS = {
    "ok": "32",
    "applied": "32",
    "nothing to do": "32",
    "no migrations": "36",
    "ahead": "33",
    "pending": "33",
    "skipped": "33",
    "not started": "33",
}
_RED = "31"


def statuses_text(statuses: Sequence[DatabaseStatus]) -> str:
    """A line for each database, and a sentence. What is the same for all of many is said once, above them."""
    places = {_place(each.target) for each in statuses if each.target}
    servers = {each.server for each in statuses if each.server}
    is_many = len(statuses) > 1
    columns: dict[str, list[str]] = {
        "NAME": [printable(each.name) for each in statuses],
        "STATE": [each.condition.value for each in statuses],
        "VERSION": [each.version or "-" for each in statuses],
        "PENDING": [_count(each.pending) for each in statuses],
        "FORMAT": [each.format or "-" for each in statuses],
    }
    head = ""
    if is_many and len(servers) == 1:
        head = f"PostgreSQL {next(iter(servers))}"
    else:
        columns["SERVER"] = [each.server or "-" for each in statuses]
    if is_many and len(places) == 1:
        head = f"{next(iter(places))}: {head}" if head else next(iter(places))
        names = [printable(each.target.database) if each.target else "-" for each in statuses]
        columns |= {"DATABASE": names} if names != columns["NAME"] else {}
    else:
        columns["DATABASE"] = [_full_place(each.target) for each in statuses]
    lines = _coloured_table(columns)
    return "\n".join([*([head, ""] if head else []), *lines, "", _states_sentence(statuses)])


def _states_sentence(statuses: Sequence[DatabaseStatus]) -> str:
    counts = Counter(each.condition.value for each in statuses)
    pending = any(each.pending for each in statuses)
    told = count_databases(len(statuses)) + ": " + ", ".join(f"{n} {state}" for state, n in counts.items())
    every = " --all" if len(statuses) > 1 else ""
    return told + (f"; `howdah migrate up{every}` applies what is pending" if pending else "")


def statuses_data(statuses: Sequence[DatabaseStatus]) -> dict[str, Any]:
    """The JSON of `status` and of `migrate status --all`."""
    return {
        "databases": [
            {
                "name": each.name,
                "target": target_data(each.target),
                "state": each.condition.value,
                "server_version": each.server or None,
                "format": each.format or None,
                "history_table": each.status.history.table.sql if each.status else None,
                "version": each.version,
                "dirty": each.status.history.dirty is not None if each.status else None,
                "applied": each.applied,
                "pending": each.pending,
                "problems": [finding.as_json() for finding in each.findings],
            }
            for each in statuses
        ]
    }


def statuses_problems(statuses: Sequence[DatabaseStatus]) -> tuple[Finding, ...]:
    """What is to say of each, with the database's name."""
    return of_databases(
        ((each.name, finding) for each in statuses for finding in each.findings), len(statuses)
    )


def statuses_code(statuses: Sequence[DatabaseStatus], *, exit_code: bool) -> int:
    """The exit code: that of the gravest database."""
    return exit_codes.gravest(_status_code(each, exit_code=exit_code) for each in statuses)


def _status_code(status: DatabaseStatus, *, exit_code: bool) -> int:
    if status.error is not None:
        return exit_codes.exit_code_of(status.error)
    is_bad = any(finding.severity is Severity.ERROR for finding in status.findings)
    return exit_codes.ANSWER_IS_NO if is_bad or (exit_code and status.pending) else exit_codes.DONE


def outcome_text(outcome: Outcome) -> str:
    """A line for each database, and a sentence."""
    runs = outcome.databases
    columns = {
        "NAME": [printable(each.name) for each in runs],
        "RESULT": [each.ending.value for each in runs],
        "APPLIED": [str(len(each.results)) if each.results else "-" for each in runs],
        "NOW AT": [(each.results[-1].step.after or "-") if each.results else "-" for each in runs],
        "TOOK": [duration(each.seconds) if each.seconds else "-" for each in runs],
    }
    if any(each.because_of for each in runs):
        columns["BECAUSE OF"] = [", ".join(map(printable, each.because_of)) for each in runs]
    lines = _coloured_table(columns)
    return "\n".join([*lines, "", _outcome_sentence(outcome)])


def _outcome_sentence(outcome: Outcome) -> str:
    from howdah.migrate.migration import count_migrations

    counts = Counter(each.ending.value for each in outcome.databases)
    told = ", ".join(f"{n} {ending}" for ending, n in counts.items())
    return f"{count_databases(len(outcome.databases))}: {told}; {count_migrations(outcome.applied)} applied"


def ending_line(outcome: DatabaseOutcome) -> str:
    """One database's end in a line."""
    from howdah.migrate.migration import count_migrations

    told = outcome.ending.value
    if outcome.results:
        told = "" if told == "applied" else f"{told}; "
        told += f"applied {count_migrations(len(outcome.results))} in {duration(outcome.seconds)}"
    because = f" because of {', '.join(map(printable, outcome.because_of))}" if outcome.because_of else ""
    return f"{printable(outcome.name)}: {told}{because}"


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """The JSON of `migrate up --all`."""
    from howdah.cli.migrate_text import results_data

    return {
        "databases": [
            {
                "name": each.name,
                "target": target_data(each.target),
                "result": each.ending.value,
                **results_data(each.results),
                "because_of": list(each.because_of),
                "seconds": round(each.seconds, 6),
                "error": {**Finding.of(each.error).as_json(), "data": each.error.data}
                if each.error
                else None,
            }
            for each in outcome.databases
        ]
    }


def outcome_problems(outcome: Outcome) -> list[tuple[str, Finding]]:
    """What failed, was skipped or interrupted, each with its database."""
    found = ((each.name, _outcome_problem(each)) for each in outcome.databases)
    return [(name, finding) for name, finding in found if finding]


def _outcome_problem(outcome: DatabaseOutcome) -> Finding | None:
    if outcome.error is not None:
        return Finding.of(outcome.error)
    if outcome.because_of:
        failed = ", ".join(map(printable, outcome.because_of))
        return Finding(
            code="database-skipped",
            message=f"skipped, because {failed} failed",
            why="It depends on that, and nothing was run here.",
            next=("howdah migrate up --all",),
        )
    if outcome.ending is Ending.INTERRUPTED:
        return Finding(
            code="interrupted",
            message="interrupted between two steps",
            fix="What is recorded took effect, the rest did not run.",
            next=("howdah migrate up",),
        )
    return None


def outcome_code(outcome: Outcome) -> int:
    """The exit code: that of the gravest database."""
    return exit_codes.gravest(_ending_code(each) for each in outcome.databases)


def _ending_code(outcome: DatabaseOutcome) -> int:
    if outcome.ending in (Ending.INTERRUPTED, Ending.NOT_STARTED):
        return exit_codes.INTERRUPTED
    return exit_codes.exit_code_of(outcome.error) if outcome.error else exit_codes.DONE


def _coloured_table(columns: dict[str, list[str]]) -> list[str]:
    """The table's lines, cut to the terminal's width; the second column, how it stands, in colour."""
    text = table(list(columns), list(zip(*columns.values(), strict=True)))
    heading, *lines = text.splitlines()
    first, second, *_ = columns.values()
    start = max(map(shown_width, [*first, next(iter(columns))])) + 2
    shown = [_cut(heading)]
    for name, state, line in zip(first, second, map(_cut, lines), strict=True):
        at = len(name) + start - shown_width(name)
        shown.append(
            line[:at] + coloured(state, _COLOURS.get(state, _RED), sys.stdout) + line[at + len(state) :]
        )
    return shown


def _cut(line: str) -> str:
    if not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else line[: width - 1] + "…"


def _place(target: DatabaseConfig | None) -> str:
    """The server of an address, for people."""
    if target is None:
        return "-"
    host = target.host or target.options.get("service", "") or "(default host)"
    return printable(f"{host}:{target.port}" if target.port else host)


def _full_place(target: DatabaseConfig | None) -> str:
    return "-" if target is None else f"{printable(target.database or '(default)')} on {_place(target)}"


def _count(number: int | None) -> str:
    return "-" if number is None else str(number)


def count_databases(count: int) -> str:
    """`1 database`, `9 databases`."""
    return f"{count} database" + ("" if count == 1 else "s")
