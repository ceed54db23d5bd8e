"""Drift: a live database against what its applied migrations give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg

from howdah.connect.session import open_session
from howdah.errors import HistoryMismatch
from howdah.findings import Finding, Severity
from howdah.migrate.migration import Migration, Source
from howdah.migrate.migrator import Migrator
from howdah.migrate.own_tables import own_tables
from howdah.migrate.plan import refuse_dirty, shown
from howdah.migrate.standing import Standing, stand
from howdah.rehearse.drift import find_drift, major_notes, unsound_notes, version_notes
from howdah.rehearse.replay import read_surroundings
from howdah.rehearse.throwaway import throwaway
from howdah.rehearse.verify import Chain, Live, Rehearsal, snapshot_at
from howdah.schema.compare import Difference
from howdah.schema.snapshot import read_schema
from howdah.server.choice import Need


@dataclass(frozen=True)
class Drift:
    """What a database has otherwise than its applied migrations build; `newest` of them is None where there is none."""

    newest: Migration | None
    differences: tuple[Difference, ...]
    notes: tuple[Finding, ...] = ()


def read_drift(migrator: Migrator, *, rehearsal: Rehearsal, schemas: tuple[str, ...] = ()) -> Drift:
    """Replay what is applied on a server that is thrown away, and compare; `schemas` are those that setup makes.

    The database is only read.

    Raises:
        HistoryMismatch: a migration is applied whose file is not here.
        DirtyDatabase: a run stopped half-way.
        RefusedError: a migration fails on a database made by the files alone.
    """
    source = migrator.source()
    with open_session(migrator.database, application_name="howdah schema") as connection:
        live, notes = _read_live(connection, migrator, source)
    chain = Chain(migrator.format, source, migrator.variables)
    surroundings = replace(live.surroundings, schemas=schemas)
    need = Need(live.schema.major, chain.extensions | set(surroundings.extensions))
    with (
        throwaway(need, at=rehearsal.at, environ=rehearsal.environ) as server,
        rehearsal.replaying(server, chain, surroundings) as run,
    ):
        expected = snapshot_at(run, live.applied)
        notes += server.notes
    return Drift(
        live.applied[-1] if live.applied else None,
        find_drift(expected, live.schema, made=chain.extensions),
        (
            *notes,
            *major_notes(expected, live.schema),
            *version_notes(expected, live.schema),
            *unsound_notes(live.schema),
        ),
    )


def _read_live(
    connection: psycopg.Connection, migrator: Migrator, source: Source
) -> tuple[Live, tuple[Finding, ...]]:
    at, history = migrator.access.read(connection)
    tool = migrator.access.format
    refuse_dirty(tool, source, history)
    standing = stand(tool, source, history)
    if without := (*standing.missing, *standing.ahead):
        raise HistoryMismatch(
            f"applied, and without a file here: {shown(without)}",
            code="missing-migration",
            why="What it built cannot be told from what is drift.",
            fix="Compare from the branch or release that has the files.",
        )
    schema = read_schema(connection, leave_out=own_tables(connection, tool, at.table))
    applied = tuple(found for version in standing.applied if (found := source.find(version)))
    # In the order in which the files run, whenever each was applied.
    applied = tuple(each for each in source.migrations if each in applied)
    return Live(schema, read_surroundings(connection), applied), tuple(_late_notes(standing))


def _late_notes(standing: Standing) -> Iterator[Finding]:
    if late := standing.out_of_order:
        yield Finding(
            "out-of-order-migration",
            f"not applied, though newer ones are: {shown([each.version for each in late])}",
            Severity.WARNING,
            why="The replay cannot leave them out: what they make shows as missing from the database.",
        )
