"""Prove that two directories of migrations build the same database, and that it is the live one."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from howdah.config.database import DatabaseConfig
from howdah.errors import RefusedError, SourceError
from howdah.findings import Finding
from howdah.migrate.migration import Direction, Migration, Source, Step
from howdah.migrate.script import load_script
from howdah.pg.extensions import created_extensions
from howdah.pg.statements import Statement
from howdah.rehearse.drift import find_drift, major_notes
from howdah.rehearse.proof import StepSeen
from howdah.rehearse.replay import Replay, Surroundings, replaying
from howdah.rehearse.throwaway import Throwaway, throwaway
from howdah.schema.compare import Difference, compare, describe
from howdah.schema.snapshot import Snapshot
from howdah.server.choice import Need

_DDL = (("CREATE",), ("ALTER",), ("DROP",))
_SEEN = tuple(
    (word,)
    for word in (
        "TABLE",
        "INDEX",
        "UNIQUE",
        "VIEW",
        "TYPE",
        "FUNCTION",
        "TRIGGER",
        "SEQUENCE",
        "SCHEMA",
        "DOMAIN",
    )
)


@dataclass(frozen=True)
class Chain:
    """A directory's migrations in a format; `variables` are what its files may put in, None: that is refused."""

    format: str
    source: Source
    variables: Mapping[str, str] | None = None

    @property
    def directory(self) -> Path:
        """Where they are."""
        return self.source.directory

    @property
    def extensions(self) -> frozenset[str]:
        """The extensions that they create."""
        files = {path for each in self.source.migrations for path in (each.up, each.down) if path}
        texts = (path.read_bytes().decode(errors="replace") for path in sorted(files))
        return frozenset(name for text in texts for name in created_extensions(text))


@dataclass(frozen=True)
class Live:
    """The database in use: its schema, what it had before its migrations, and how far these have come."""

    schema: Snapshot
    surroundings: Surroundings
    applied: tuple[Migration, ...]


@dataclass(frozen=True)
class Verified:
    """What a replay showed: where the live schema is another one, and what each applied migration made."""

    drift: tuple[Difference, ...]
    steps: tuple[StepSeen, ...] = ()
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Rehearsal:
    """Where to replay, and whom to tell.

    Attributes:
        at: a server to make databases on; None: one is started, and is gone afterwards.
        on_step: told what begins.
    """

    at: DatabaseConfig | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    on_step: Callable[[str], None] = lambda _: None

    def replaying(
        self, server: Throwaway, chain: Chain, surroundings: Surroundings
    ) -> AbstractContextManager[Replay]:
        """An empty database for a chain."""
        return replaying(
            server,
            chain.format,
            chain.directory,
            surroundings=surroundings,
            variables=chain.variables,
            on_step=self.on_step,
        )


@dataclass(frozen=True)
class Built:
    """What a chain built: all of it, the rows it left, and what remains when all is reverted (None: it cannot be)."""

    newest: Snapshot
    rows: Mapping[str, int]
    reverted: Snapshot | None


def verify(
    old: Chain, new: Chain, live: Live, *, rehearsal: Rehearsal, unproved: Collection[str]
) -> Verified:
    """Replay both, and compare; see what the applied migrations that are not proved yet make.

    Raises:
        RefusedError: a migration fails on an empty database, or the two chains do not build the same.
    """
    need = Need(live.schema.major, old.extensions)
    with throwaway(need, at=rehearsal.at, environ=rehearsal.environ) as server:
        with rehearsal.replaying(server, old, live.surroundings) as run:
            expected = snapshot_at(run, live.applied)
            before = finish(run)
        with rehearsal.replaying(server, new, live.surroundings) as run:
            after = finish(run, is_reverted=before.reverted is not None)
        refuse_other_build(before, after, old, new)
        drift = find_drift(expected, live.schema, made=old.extensions)
        steps: tuple[StepSeen, ...] = ()
        if unproved:
            with rehearsal.replaying(server, old, live.surroundings) as run:
                steps = tuple(_walk(run, live.applied, unproved, has_drift=bool(drift)))
    return Verified(drift, steps, (*server.notes, *major_notes(expected, live.schema)))


def refuse_other_build(before: Built, after: Built, old: Chain, new: Chain) -> None:
    """Raise RefusedError where two chains do not build the same database, up or down; line endings do not count."""
    found = _counted(compare(before.newest, after.newest))
    what = "build another schema"
    if not found and before.reverted and after.reverted:
        found = _counted(compare(before.reverted, after.reverted))
        what = "leave another schema when they are reverted"
    rows = "" if before.rows == after.rows else _rows_text(before.rows, after.rows)
    if found or rows:
        raise RefusedError(
            f"the migrations in {new.directory} {what if found else 'leave other rows'} than those in {old.directory}",
            code="conversion-differs",
            why=f"Replayed on an empty database (- old, + new):\n{describe(found)}{rows}",
            fix=f"Correct the files in {new.directory}, which are kept, and run it again; or delete the folder.",
        )


def _rows_text(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    return "\n".join(
        f"~ rows of {name}: {before.get(name, 0)} -> {after.get(name, 0)}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def _counted(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    return tuple(each for each in differences if not each.is_line_endings)


def _walk(
    run: Replay, applied: Sequence[Migration], unproved: Collection[str], *, has_drift: bool
) -> Iterator[StepSeen]:
    """See what single migrations make; without drift, only those whose statements do not say that they make it."""
    before: Snapshot | None = None
    at = ""
    for previous, each in pairwise((None, *applied)):
        assert each is not None
        statements = _statements(run, each) if each.version in unproved else []
        if each.version not in unproved or (not has_drift and any(map(_makes_something, statements))):
            continue
        if before is None or previous is None or at != previous.version:
            if previous is not None:
                run.up(to=previous.version)
            before = run.snapshot()
        run.up(to=each.version)
        after, at = run.snapshot(), each.version
        made = frozenset((found.kind, found.name) for found in compare(before, after))
        yield StepSeen(each, made, is_empty=not statements)
        before = after


def _statements(run: Replay, migration: Migration) -> Sequence[Statement]:
    if migration.up is None:
        return ()
    step = Step(migration, Direction.UP, None, None)
    return load_script(run.migrator.access.format, step).statements


def _makes_something(statement: Statement) -> bool:
    """Whether it cannot succeed without changing the schema."""
    words = statement.words
    return words[:1] in _DDL and words[1:2] in _SEEN and "IF" not in words


def snapshot_at(run: Replay, applied: Sequence[Migration]) -> Snapshot:
    """What the applied migrations, in the order of the files, build on an empty database."""
    if applied:
        run.up(to=applied[-1].version)
    return run.snapshot()


def finish(run: Replay, *, is_reverted: bool | None = None) -> Built:
    """Apply what is left, and revert everything where `is_reverted` says so; None: if that is possible.

    Raises:
        RefusedError: a migration fails.
    """
    run.up()
    newest, rows = run.snapshot(), run.row_counts()
    if is_reverted is False:
        return Built(newest, rows, None)
    try:
        run.down()
    except (RefusedError, SourceError):
        if is_reverted:
            raise
        # Many projects have no way down, or one that never worked: then there is nothing to compare.
        return Built(newest, rows, None)
    return Built(newest, rows, run.snapshot())
