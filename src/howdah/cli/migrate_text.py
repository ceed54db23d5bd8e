"""What `howdah migrate` shows: the library's values as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from howdah.cli.render import duration, table
from howdah.findings import Severity

if TYPE_CHECKING:
    from datetime import datetime

    from howdah.migrate.declare import Resolution
    from howdah.migrate.diagnosis import Diagnosis
    from howdah.migrate.events import Result
    from howdah.migrate.migration import Step
    from howdah.migrate.migrator import Migrator
    from howdah.migrate.plan import Plan
    from howdah.migrate.script import Script
    from howdah.migrate.status import Entry, Status
    from howdah.migrate.traces import Trace

# What says nothing of a migration that is applied all the same: somebody else has applied it again since.
_REVERTS = ("revert", "resolve-reverted")


def _at(version: str | None) -> str:
    return "no version" if version is None else f"version {version}"


def status_text(status: Status, migrator: Migrator) -> str:
    """One table and one sentence."""
    rows = [_status_row(entry) for entry in status.entries]
    head = table(("VERSION", "NAME", "STATE", "WHEN", "TOOK", "BY"), rows) + "\n\n" if rows else ""
    pending = len(status.pending)
    todo = f"{pending} pending; `howdah migrate up` applies them" if pending else "nothing is pending"
    if any(finding.severity is Severity.ERROR for finding in status.findings):
        todo = f"{pending} pending; `howdah migrate up` refuses, see the error"
    if status.history.dirty:
        todo = f"dirty: nothing runs before it is resolved; {pending} pending"
    return f"{head}{migrator.database.target} is at {_at(status.history.version)}; {todo}"


def _status_row(entry: Entry) -> tuple[str, ...]:
    record, applied = entry.record, entry.applied
    name = entry.migration.name if entry.migration else "(no file)"
    state = entry.state.value + (f", {entry.change.value}" if entry.change else "")
    row = (entry.version, name, state)
    if entry.state.value != "applied":
        return (*row, "", "", "")
    if record and record.action == "apply":
        took = duration(record.seconds) if record.seconds is not None else ""
        return (*row, _moment(record.started_at), took, record.by)
    if record and record.action == "resolve-applied":
        return (*row, f"({record.action})", "", record.by)
    # Another tool applied it: its own table says when, if anything does.
    if applied and applied.at:
        return (*row, _moment(applied.at), "", "")
    if record is None or record.action in _REVERTS:
        return (*row, "", "", "")
    return (*row, "(before howdah)" if record.action == "baseline" else f"({record.action})", "", record.by)


def _moment(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def status_data(status: Status) -> dict[str, Any]:
    """The JSON of `migrate status`."""
    return {
        "version": status.history.version,
        "dirty": status.history.dirty is not None,
        "history_table": status.history.table.sql,
        "pending": len(status.pending),
        "migrations": [
            {
                "version": entry.version,
                "name": entry.migration.name if entry.migration else None,
                "state": entry.state.value,
                "change": entry.change.value if entry.change else None,
                **_record_data(entry),
            }
            for entry in status.entries
        ],
    }


def _record_data(entry: Entry) -> dict[str, Any]:
    record, at = entry.record, entry.applied and entry.applied.at
    if record is None or record.action in _REVERTS:
        action = record and record.action if entry.state.value != "applied" else None
        return {"action": action, "applied_at": at and at.isoformat(), "applied_by": None, "seconds": None}
    at = record.finished_at if record.action in ("apply", "resolve-applied") or at is None else at
    return {
        "action": record.action,
        "applied_at": at and at.isoformat(),
        "applied_by": record.by,
        "seconds": record.seconds,
    }


def plan_text(plan: Plan, scripts: Sequence[Script | None], migrator: Migrator) -> str:
    """The steps, how each runs, and a sentence; of a step without a script, what it is."""
    rows = [
        (
            step.migration.version,
            step.migration.name,
            step.direction.value,
            str(len(script.statements)) if script else "",
            how_it_runs(step, script),
        )
        for step, script in zip(plan.steps, scripts, strict=True)
    ]
    head = table(("VERSION", "NAME", "RUNS", "STATEMENTS", "HOW"), rows) + "\n\n" if rows else ""
    count = f"{len(plan.steps)} to run" if plan.steps else "nothing to run"
    return f"{head}{migrator.database.target} is at {_at(plan.history.version)}; {count}"


def how_it_runs(step: Step, script: Script | None) -> str:
    """Whether in a transaction; of a step without a script, what it is."""
    if script is None:
        return step.migration.foreign
    return script.execution.value + (f": {script.reason}" if script.reason else "")


def plan_data(plan: Plan, scripts: Sequence[Script | None]) -> dict[str, Any]:
    """The JSON of `migrate plan`."""
    steps = [
        {
            "version": step.migration.version,
            "name": step.migration.name,
            "direction": step.direction.value,
            "file": str(step.file),
            "foreign": step.migration.foreign or None,
            "statements": len(script.statements) if script else None,
            "execution": script.execution.value if script else None,
            "reason": script.reason if script else None,
            "after": step.after,
        }
        for step, script in zip(plan.steps, scripts, strict=True)
    ]
    return {"version": plan.history.version, "steps": steps}


def results_data(results: Sequence[Result]) -> dict[str, Any]:
    """The JSON of `migrate up` and `migrate down`."""
    return {
        "steps": [
            {
                "version": result.step.migration.version,
                "name": result.step.migration.name,
                "direction": result.step.direction.value,
                "file": str(result.file),
                "statements": result.statements,
                "seconds": round(result.seconds, 6),
                "transactional": result.transactional,
                "after": result.step.after,
            }
            for result in results
        ]
    }


def run_text(results: Sequence[Result], migrator: Migrator, verb: str) -> str:
    """One sentence on a run."""
    if not results:
        return f"{migrator.database.target}: nothing to do"
    from howdah.migrate.migration import count_migrations

    seconds = sum(result.seconds for result in results)
    return (
        f"{migrator.database.target}: {verb} {count_migrations(len(results))} in {duration(seconds)};"
        f" now at {_at(results[-1].step.after)}"
    )


def resolution_text(resolution: Resolution) -> str:
    """One sentence on `resolve`."""
    was = _at(resolution.before) + (" (dirty)" if resolution.was_dirty else "")
    return f"the history is at {_at(resolution.after)} and clean; it was at {was}. Nothing was run."


def baseline_text(resolution: Resolution) -> str:
    """One sentence on `baseline`."""
    return f"the history is at {_at(resolution.after)}: it and all below count as applied. Nothing was run."


def resolution_data(resolution: Resolution) -> dict[str, Any]:
    """The JSON of `migrate resolve` and `migrate baseline`."""
    return {"before": resolution.before, "was_dirty": resolution.was_dirty, "after": resolution.after}


def diagnosis_text(found: Diagnosis) -> str:
    """What is known of a dirty history, and what to type."""
    from howdah.migrate.plan import dirty_place

    history = found.history
    if not history.dirty:
        return f"the history is at {_at(history.version)} and clean: nothing to resolve"
    lines = [f"{history.table.sql} is dirty at {dirty_place(history)}"]
    if found.holders:
        lines += [f"  still running: {holder}" for holder in found.holders]
    else:
        lines.append("  no session holds the migration lock: nothing is running any more")
    lines += _unfinished_lines(found)
    lines += [
        f"  invalid index {index.name} on {index.table}"
        + (", being built now" if index.being_built else ": DROP INDEX it before the migration runs again")
        for index in found.invalid_indexes
    ]
    for suspect in found.suspects:
        version, whole = suspect.migration.version, suspect.direction.done
        doing = f"{suspect.direction.doing} {version} ({suspect.migration.name})"
        none = "reverted" if whole == "applied" else "applied"
        lines += [f"  {each.name}: {_trace_text(each)}" for each in suspect.traces]
        lines.append(f"if it was {doing}" + (", and" if len(found.suspects) > 1 else ":"))
        lines.append(f"  all of it took effect:  howdah migrate resolve {version} --{whole}")
        lines.append(f"  none of it took effect: howdah migrate resolve {version} --{none}")
    return "\n".join(lines)


def _trace_text(trace: Trace) -> str:
    if not trace.exists:
        return "is not there"
    return "is there" if trace.is_valid else "is there, and invalid"


def _unfinished_lines(found: Diagnosis) -> list[str]:
    """How far our own run came; what is said of another tool's."""
    from howdah.pg.statements import shorten

    record = found.unfinished
    if record is None and found.means:
        return [f"  {found.means}"]
    if record is None:
        return [
            "  howdah did not run it: another tool failed, was killed, or is running it",
            "  what PostgreSQL was doing when it was killed may have committed: look at the schema",
        ]
    doing = "applying" if record.action == "apply" else "reverting"
    since = f"{record.started_at:%Y-%m-%d %H:%M:%S}"
    done = f"{record.statements_done} of {record.statements} statements took effect"
    lines = [f"  howdah was {doing} {record.version} since {since}: {done}"]
    following = found.next_statement
    if following is not None:
        text = shorten(following.text, limit=200)
        lines.append(f"  the next one may have, too: line {following.line}: {text}")
    elif record.statements_done < record.statements:
        lines.append("  the next one may have, too; its file has changed since")
    return lines


def diagnosis_data(found: Diagnosis) -> dict[str, Any]:
    """The JSON of `migrate resolve` without a declaration."""
    record = found.unfinished
    return {
        "version": found.history.version,
        "dirty": found.history.dirty is not None,
        "unfinished": record
        and {
            "version": record.version,
            "action": record.action,
            "statements": record.statements,
            "statements_done": record.statements_done,
            "started_at": record.started_at.isoformat(),
            "next_line": found.next_statement.line if found.next_statement else None,
        },
        "suspects": [
            {
                "version": each.migration.version,
                "direction": each.direction.value,
                "traces": [asdict(trace) for trace in each.traces],
            }
            for each in found.suspects
        ],
        "holders": [
            {"pid": each.pid, "application": each.application, "query": each.query} for each in found.holders
        ],
        "invalid_indexes": [
            {"name": each.name, "table": each.table, "being_built": each.being_built}
            for each in found.invalid_indexes
        ],
    }
