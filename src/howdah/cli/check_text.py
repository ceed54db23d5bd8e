"""What `howdah check` shows: the values of howdah.check as text and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from howdah.check.report import CheckReport, MigrationReport, RuleFinding, StatementReport
from howdah.check.reports.marks import steps_text
from howdah.cli.render import as_typed, coloured, duration, printable, shown_width, table
from howdah.findings import Finding, Severity
from howdah.observe.amounts import say_bytes
from howdah.observe.verdict import Verdict
from howdah.pg.statements import shorten
from howdah.rehearse.trip import Return

if TYPE_CHECKING:
    from howdah.observe.effect import Effect
    from howdah.rehearse.live import LiveEvent
    from howdah.rehearse.measured import LiveRehearsal, LiveTable

_COLOURS = {
    Verdict.SAFE: "32",
    Verdict.LONG: "32",
    Verdict.BRIEF: "32",
    Verdict.UNKNOWN: "33",
    Verdict.BREAKING: "33",
    Verdict.DESTRUCTIVE: "31",
    Verdict.UNSAFE: "31",
    Verdict.FAILS: "31",
}
_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_STATEMENT_WIDTH = 72


def check_text(reports: Sequence[CheckReport], *, fail_on: Verdict, shows_effects: bool) -> str:
    """A table of the migrations that are judged, and a sentence, for each database."""
    return "\n\n".join(
        "\n".join(_report_lines(each, fail_on=fail_on, shows_effects=shows_effects)) for each in reports
    )


def _report_lines(report: CheckReport, *, fail_on: Verdict, shows_effects: bool) -> Iterator[str]:
    new = [each for each in report.migrations if each.is_new]
    yield _head(report, new)
    if new and report.server:
        yield ""
        yield from _migration_lines(new, shows_effects=shows_effects)
    if report.live:
        yield ""
        yield from _live_lines(report.live)
    yield ""
    yield _sentence(report, fail_on)


def _head(report: CheckReport, new: Sequence[MigrationReport]) -> str:
    parts = [f"{printable(report.database)}: {_count(len(report.migrations), 'migration')} ({report.format})"]
    if report.base:
        parts.append(f"{len(new)} new against {report.base}")
    if report.against:
        parts.append(f"compared with the history of {report.against}")
    parts.append(f"run on PostgreSQL {report.server}" if report.server else "not run")
    parts.append(duration(report.seconds))
    return ", ".join(parts)


def _live_lines(live: LiveRehearsal) -> Iterator[str]:
    """What was measured on real data: a line for each migration, and one for each table that it locked."""
    took = duration(live.restore_seconds)
    yield f"On a copy of {printable(live.source)} ({say_bytes(live.bytes)}, restored in {took}):"
    if not live.migrations:
        yield "nothing is pending there"
        return
    rows = []
    for each in live.migrations:
        first, *others = [*map(_live_row, each.tables)] or [["", "", "", "", ""]]
        seconds = "fails" if each.failure else duration(each.seconds)
        rows.append([each.version, printable(each.name), seconds, *first])
        rows += [["", "", "", *other] for other in others]
    yield from table(["VERSION", "NAME", "TOOK", "TABLE", "LOCK", "HELD", "READERS", "WRITERS"], rows).split(
        "\n"
    )


def _live_row(found: LiveTable) -> list[str]:
    waits = ("-" if each is None else duration(each) for each in (found.reader_seconds, found.writer_seconds))
    return [printable(found.relation), found.mode.value, duration(found.held_seconds), *waits]


def data_progress(event: LiveEvent) -> str:
    """What a rehearsal on real data is doing."""
    from howdah.migrate.events import StatementStarted
    from howdah.rehearse.clone import Copying

    if isinstance(event, Copying):
        of = f" of {say_bytes(event.total_bytes)}" if event.total_bytes else ""
        left = event.remaining_seconds
        more = f", {duration(left)} left" if left is not None and left >= 1 else ""
        rate = f", {say_bytes(event.per_second)}/s" if event.seconds else ""
        return f"{event.doing} {say_bytes(event.bytes)}{of}{rate}{more}"
    if isinstance(event, StatementStarted):
        return f"{event.step.migration.version} {event.step.migration.name} {event.number}/{event.total}"
    return "rehearsing on real data"


def _migration_lines(new: Sequence[MigrationReport], *, shows_effects: bool) -> Iterator[str]:
    rows = [
        [each.version, printable(each.name), _verdict(each.verdict), _reversible(each.reversible)]
        for each in new
    ]
    lines = table(["VERSION", "NAME", "VERDICT", "REVERSIBLE"], rows).split("\n")
    yield lines[0]
    for each, line in zip(new, lines[1:], strict=True):
        yield line
        if shows_effects:
            yield from _statement_lines(each.statements)


def _statement_lines(statements: Iterable[StatementReport]) -> Iterator[str]:
    for each in statements:
        text = printable(shorten(each.text, limit=_STATEMENT_WIDTH))
        yield f"  {each.line:>4}  {text}{' ' * (_STATEMENT_WIDTH - shown_width(text))}  {_verdict(each.verdict)}"
        yield from (f"        {line}" for line in effect_lines(each.effect))


def effect_lines(effect: Effect) -> Iterator[str]:
    """What a statement was seen to do, a line a kind."""
    if effect.held:
        yield "holds " + ", ".join(f"{each.mode.value} on {each.relation}" for each in effect.held)
    for work in effect.work:
        index = f" ({work.index})" if work.index else ""
        rows = f", {work.rows} rows" if work.rows else ""
        yield f"{work.kind.value} of {work.relation}{index}{rows}"
    for change in effect.changes:
        to = f" to {change.to}" if change.to else ""
        yield f"{change.object} {change.name} {change.kind.value}{to}"
    if effect.error:
        yield f"fails: {effect.error}"


def _verdict(verdict: Verdict) -> str:
    return coloured(verdict.value, _COLOURS[verdict], sys.stdout)


def _reversible(reversible: Return) -> str:
    return "-" if reversible is Return.NOT_TESTED else reversible.value


def _sentence(report: CheckReport, fail_on: Verdict) -> str:
    found = [each for each in report.all_findings if not each.is_old]
    allowed = sum(bool(each.allowed) for each in found)
    old = len(report.all_findings) - len(found)
    is_ok = report.is_ok(fail_on)
    verdict = f"{_verdict(report.verdict)}: "
    if not report.server:
        # What was not looked at is not called safe.
        verdict = "files and history: " if is_ok else f"files and history, {verdict}"
    said = "nothing to object to" if is_ok else f"the check does not pass (--fail-on {fail_on.value})"
    if is_ok and report.base and not any(each.is_new for each in report.migrations):
        said = f"nothing is new against {report.base}; `--base none` judges all"
    if is_ok and not report.migrations:
        verdict, said = "", "there are no migrations here: nothing was checked"
    parts = [verdict + said]
    if allowed:
        parts.append(f"{_count(allowed, 'finding')} allowed in the files")
    if old:
        parts.append(
            f"{_count(old, 'finding')} in files that the base has already (`--base none` shows them)"
        )
    return "; ".join(parts)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def check_problems(reports: Sequence[CheckReport], *, fail_on: Verdict) -> tuple[Finding, ...]:
    """What is to be told, as every command tells it: what fails the check is an error."""
    return tuple(problem for report in reports for problem in _problems(report, fail_on))


def _problems(report: CheckReport, fail_on: Verdict) -> Iterator[Finding]:
    """File after file; of each what fails the check first."""
    for found in (report.findings, *(each.all_findings for each in report.migrations)):
        problems = (_problem(each, fail_on) for each in found if not each.is_old)
        yield from sorted(problems, key=lambda each: _ORDER.index(each.severity))


def _problem(found: RuleFinding, fail_on: Verdict) -> Finding:
    finding = found.finding
    if finding.where:
        finding = replace(finding, where=replace(finding.where, file=as_typed(Path(finding.where.file))))
    if found.allowed:
        why = f"Allowed in the file: {found.allowed}."
        return replace(finding, severity=Severity.INFO, why=why, fix=None, next=())
    fix = "\n".join([*([finding.fix] if finding.fix else []), *steps_text(found.steps)])
    return replace(finding, severity=found.severity(fail_on), fix=fix or None)


def check_data(reports: Sequence[CheckReport], *, fail_on: Verdict) -> dict[str, Any]:
    """The JSON of `check`."""
    return {"fail_on": fail_on.value, "databases": [_report_data(each, fail_on) for each in reports]}


def _report_data(report: CheckReport, fail_on: Verdict) -> dict[str, Any]:
    return {
        "name": report.database,
        "ok": report.is_ok(fail_on),
        "verdict": report.verdict.value,
        "directory": str(report.directory),
        "format": report.format,
        "base": report.base or None,
        "against": report.against or None,
        "server_version": report.server or None,
        "seconds": round(report.seconds, 3),
        "live": _live_data(report.live) if report.live else None,
        "findings": [_finding_data(each) for each in report.findings],
        "migrations": [_migration_data(each) for each in report.migrations],
    }


def _live_data(live: LiveRehearsal) -> dict[str, Any]:
    return {
        "source": live.source,
        "server_version": live.server,
        "bytes": live.bytes,
        "restore_seconds": round(live.restore_seconds, 3),
        "unwatched": list(live.unwatched),
        "migrations": [
            {
                "version": each.version,
                "name": each.name,
                "ok": each.failure is None,
                "seconds": round(each.seconds, 4),
                "factor": each.factor,
                "tables": [
                    {
                        "relation": found.relation,
                        "lock": found.mode.value,
                        "held_seconds": round(found.held_seconds, 4),
                        "reader_seconds": found.reader_seconds,
                        "writer_seconds": found.writer_seconds,
                        "line": found.line or None,
                    }
                    for found in each.tables
                ],
            }
            for each in live.migrations
        ],
    }


def _migration_data(migration: MigrationReport) -> dict[str, Any]:
    return {
        "version": migration.version,
        "name": migration.name,
        "file": str(migration.file) if migration.file else None,
        "is_new": migration.is_new,
        "verdict": migration.verdict.value,
        "reversible": migration.reversible.value,
        "findings": [_finding_data(each) for each in migration.findings],
        "statements": [_statement_data(each) for each in migration.statements],
        "down": [_statement_data(each) for each in migration.down],
    }


def _statement_data(statement: StatementReport) -> dict[str, Any]:
    return {
        "number": statement.number,
        "line": statement.line,
        "sql": statement.text,
        "verdict": statement.verdict.value,
        **_effect_data(statement.effect),
        "findings": [_finding_data(each) for each in statement.findings],
    }


def _effect_data(effect: Effect) -> dict[str, Any]:
    return {
        "seconds": round(effect.seconds, 4),
        "wal_bytes": effect.wal_bytes,
        "locks": [
            {
                "relation": each.relation,
                "mode": each.mode.value,
                "since": each.since,
                "is_taken": each in effect.taken,
            }
            for each in effect.held
        ],
        "work": [
            {
                "kind": each.kind.value,
                "relation": each.relation,
                "index": each.index or None,
                "rows": each.rows,
                "bytes": each.bytes,
            }
            for each in effect.work
        ],
        "changes": [
            {
                "kind": each.kind.value,
                "object": each.object,
                "name": each.name,
                "to": each.to or None,
                "holds_data": each.holds_data,
            }
            for each in effect.changes
        ],
        "error": effect.error or None,
        "sqlstate": effect.sqlstate or None,
    }


def _finding_data(found: RuleFinding) -> dict[str, Any]:
    return {
        **found.finding.as_json(),
        "verdict": found.verdict.value,
        "allowed": found.allowed or None,
        "is_old": found.is_old,
        "steps": [
            {
                "sql": each.sql,
                "transactional": each.transactional,
                "verdict": each.verdict.value if each.verdict else None,
            }
            for each in found.steps
        ],
    }
