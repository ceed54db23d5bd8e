"""Move a project from one migration tool to another: its files, proved by a replay, and the history of a database."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from howdah.connect.session import open_session
from howdah.errors import LockTimeout, RefusedError, SourceError
from howdah.findings import Finding
from howdah.migrate.convert import convert
from howdah.migrate.database import Look, look, read_history
from howdah.migrate.formats import find_format
from howdah.migrate.formats.interface import Format, Keeps
from howdah.migrate.handover import (
    Handover,
    OldHistory,
    archive_name,
    plan_handover,
)
from howdah.migrate.history import History, HistoryTable
from howdah.migrate.lock import lock_keys
from howdah.migrate.migration import Migration, Source
from howdah.migrate.migrator import Migrator
from howdah.migrate.own_tables import own_tables
from howdah.migrate.plan import shown
from howdah.migrate.side_history import create_side_history
from howdah.migrate.sql import fetch, run_queries
from howdah.rehearse.adopt_guards import refuse_unfit, refuse_unproved, warnings_of
from howdah.rehearse.proof import proved_by_history
from howdah.rehearse.replay import read_surroundings
from howdah.rehearse.verify import Chain, Live, Rehearsal, Verified, verify
from howdah.schema.compare import Difference
from howdah.schema.snapshot import read_schema


@dataclass(frozen=True, kw_only=True)
class AdoptRequest:
    """What to adopt, and how.

    Attributes:
        migrator: of the tool that is left: its files, its history.
        to: the format to go to.
        out: where the new files go; files that are there, from an earlier time, are taken as they are.
        vouched: versions that a person knows to be applied though nothing shows it.
        allowed_drift: names of objects that may differ between the live schema and a replay.
    """

    migrator: Migrator
    to: str
    out: Path
    vouched: Collection[str] = ()
    allowed_drift: Collection[str] = ()
    rehearsal: Rehearsal = field(default_factory=Rehearsal)


@dataclass(frozen=True)
class Adoption:
    """What was found and made, and what becomes of the history.

    Attributes:
        written: files made by this run; () where they were there.
        applied: the new migrations that count as applied.
        drift: differences between the live schema and a replay that were allowed.
        handover: the statements; None where the database has no history to hand over.
        is_done: they were run.
    """

    request: AdoptRequest
    written: tuple[Path, ...]
    applied: tuple[Migration, ...]
    drift: tuple[Difference, ...]
    notes: tuple[Finding, ...]
    history: History
    handover: Handover | None
    is_done: bool = False


def plan_adoption(request: AdoptRequest) -> Adoption:
    """Write the new files, prove them, and say what becomes of the history. The database is not changed.

    Raises:
        SourceError: a migration cannot be converted.
        DirtyDatabase, HistoryMismatch: the history must be put right first.
        RefusedError: the replays differ; the live schema has drift; nothing proves that a version was applied.
    """
    migrator, to = request.migrator, find_format(request.to)
    start = find_format(migrator.format)
    if start.name == to.name:
        raise RefusedError(f"the migrations are {to.name}'s already", code="same-format")
    old = Chain(start.name, migrator.source())
    found = _look_around(migrator, start, to, old.source)
    written, notes = _write_files(start, to, old.source, request.out)
    new = Chain(to.name, to.files.read(request.out))
    _refuse_other_versions(old.source, new.source)
    verified = _prove(request, start, old, new, found)
    numbers = {int(each.version): each for each in new.source.migrations}
    adopted = tuple(numbers[int(each.version)] for each in found.live.applied)
    handover = None
    if found.at.exists:
        with open_session(migrator.database, application_name="howdah adopt") as connection:
            handover = _handover(connection, found.at, to, found.new, adopted)
    warnings = warnings_of(start, to, migrator.database, found.history)
    return Adoption(
        request,
        written,
        adopted,
        verified.drift,
        (*old.source.notes, *notes, *verified.notes, *warnings),
        found.history,
        handover,
    )


def adopt(request: AdoptRequest) -> Adoption:
    """The same, and then the history of the database is handed over, in one transaction under both tools' locks.

    Raises:
        as plan_adoption, and
        LockTimeout: another run holds one of the locks.
        RefusedError: the history changed meanwhile.
    """
    planned = plan_adoption(request)
    if planned.handover is None:
        return planned
    migrator, to = request.migrator, find_format(request.to)
    access = migrator.access
    with open_session(migrator.database, application_name="howdah adopt") as connection:
        at = access.look(connection)
        with access.lock(connection, at, also=lock_keys(to, _new_table(connection, at, to))):
            create_side_history(connection)
            at, history = access.read(connection)
            if history.applied != planned.history.applied:
                raise _changed_meanwhile(at.table)
            handover = _handover(connection, at, to, _new_table(connection, at, to), planned.applied)
            connection.execute(
                f"SET lock_timeout = {round(migrator.settings.stall_budget_seconds * 1000)}".encode()
            )
            try:
                run_queries(connection, [*handover.queries, *handover.records])
            except psycopg.errors.LockNotAvailable as error:
                raise LockTimeout(
                    f"somebody holds a lock on {at.table.sql}; nothing was changed",
                    fix="Let its transaction end, and run it again.",
                ) from error
    return replace(planned, handover=handover, is_done=True)


@dataclass(frozen=True)
class _Found:
    """The database as it is: its history, where the new one will be, and what it is to be compared with."""

    at: Look
    history: History
    new: HistoryTable
    live: Live


def _look_around(migrator: Migrator, start: Format, to: Format, source: Source) -> _Found:
    with open_session(migrator.database, application_name="howdah adopt") as connection:
        at, history = migrator.access.read(connection)
        applied = refuse_unfit(start, source, history)
        new = _new_table(connection, at, to)
        tools_own = own_tables(connection, start, at.table) | own_tables(connection, to, new)
        schema = read_schema(connection, leave_out=tools_own)
        return _Found(at, history, new, Live(schema, read_surroundings(connection), applied))


def _prove(request: AdoptRequest, start: Format, old: Chain, new: Chain, found: _Found) -> Verified:
    """Replay both chains, and refuse what the database does not show."""
    versions = {each.version for each in found.live.applied}
    proved = proved_by_history(found.history) if start.table.keeps is Keeps.NUMBER else versions
    verified = verify(old, new, found.live, rehearsal=request.rehearsal, unproved=versions - proved)
    refuse_unproved(
        request.migrator.database.target,
        start.name,
        verified,
        proved=proved,
        vouched=request.vouched,
        allowed_drift=request.allowed_drift,
    )
    return verified


def _new_table(connection: psycopg.Connection, at: Look, to: Format) -> HistoryTable:
    """Where the new history will be.

    Raises:
        RefusedError: there is one, with rows in it.
        HistoryMismatch: there is a table of that name, which is another tool's.
    """
    if at.table.table == to.table.name:
        return at.table
    there = look(connection, to, schema=None, table=None)
    if there.exists and read_history(connection, to, there).applied:
        raise RefusedError(
            f"there is a history of {to.name} already: {there.table.sql}",
            code="history-exists",
            why="It says that migrations were applied; two histories of one database cannot both be right.",
            fix="Drop it or rename it, if it is of no use.",
            next=(f"howdah migrate status --format {to.name}",),
        )
    return there.table


def _relation_names(connection: psycopg.Connection, table: HistoryTable) -> set[str]:
    """The names that are taken in a history's schema."""
    return {row["name"] for row in fetch(connection, "relation_names", [table.schema])}


def _write_files(
    start: Format, to: Format, source: Source, out: Path
) -> tuple[tuple[Path, ...], tuple[Finding, ...]]:
    """Convert into a folder, whole or not at all; nothing that is there is touched."""
    converted = convert(start, source, to)
    if out.is_dir() and any(out.iterdir()):
        return (), converted.notes
    out.parent.mkdir(parents=True, exist_ok=True)
    workplace = out.with_name(f".{out.name}.new-{secrets.token_hex(4)}")
    workplace.mkdir()
    try:
        for name, text in converted.files.items():
            (workplace / name).write_bytes(text.encode())
        # In place of nothing, or of an empty folder.
        workplace.rename(out)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return tuple(out / name for name in converted.files), converted.notes


def _refuse_other_versions(old: Source, new: Source) -> None:
    before, after = ([int(each.version) for each in source.migrations] for source in (old, new))
    if before != after:
        other = sorted(map(str, set(before) ^ set(after)))
        raise SourceError(
            f"{new.directory} does not hold the migrations of {old.directory}: {shown(other)}",
            code="conversion-outdated",
            fix="Delete the folder to have it written again, or name another one with --out.",
        )


def _handover(
    connection: psycopg.Connection, at: Look, to: Format, new: HistoryTable, applied: tuple[Migration, ...]
) -> Handover:
    row = fetch(connection, "history_relation", [at.table.schema, at.table.table])[0]
    archive = archive_name(at.table, to, taken=_relation_names(connection, at.table))
    parts = tuple((kind, name) for kind, name in row["parts"])
    old = OldHistory(at.table, archive, row["owner"], parts, at.has_side_history)
    return plan_handover(old, to, new, applied, user=row["role"])


def _changed_meanwhile(table: HistoryTable) -> RefusedError:
    return RefusedError(
        f"{table.sql} has changed since it was read",
        code="history-changed",
        why="Another run migrated the database meanwhile.",
        fix="Run it again.",
    )
