"""A throwaway database in which migrations are tried: its schema and its rows, known after every step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from howdah.connect.session import open_session
from howdah.errors import ForeignStep, MigrationFailed
from howdah.migrate.migration import Step
from howdah.observe.observer import Observer
from howdah.rehearse.data import Digest, Digests, LostData, find_lost, query
from howdah.rehearse.mend import Mender
from howdah.rehearse.noise import part_noise
from howdah.rehearse.observed import ObservedStep
from howdah.rehearse.probe import ObservingProbe
from howdah.rehearse.replay import Replay
from howdah.rehearse.seed import Seeds
from howdah.rehearse.stepper import Stepper, stepping
from howdah.rehearse.trip import FailsOnRows
from howdah.schema.compare import Difference, compare
from howdah.schema.model import Mark, SchemaModel
from howdah.schema.snapshot import Snapshot

Touched = frozenset[int] | None
"""OIDs of the relations that a step touched; None: nobody knows."""

_MOST_PASSES = 4


def join_touched(*steps: ObservedStep | None) -> Touched:
    """What these steps touched together."""
    found: frozenset[int] = frozenset()
    for each in steps:
        if each is not None:
            if each.touched is None:
                return None
            found |= each.touched
    return found


@dataclass
class Stage:
    """One database on its way.

    Attributes:
        start: the schema before the first migration.
        probe: what observes.
        is_doubtful: a step that nobody can run here counts as applied.
    """

    stepper: Stepper
    model: SchemaModel
    seeds: Seeds
    probe: ObservingProbe
    start: Snapshot
    make_role: Callable[[MigrationFailed], bool]
    _connection: psycopg.Connection
    _digests: Digests
    is_doubtful: bool = False
    _is_cleared: bool = False
    _held: dict[str, Digest] = field(default_factory=dict)
    _oids: dict[int, str] = field(default_factory=dict)

    def apply(self, steps: Sequence[Step]) -> None:
        """Run steps as fast as may be, and see what is there then. Raises MigrationFailed, SourceError."""
        left = list(steps)
        while left:
            try:
                self.stepper.run(left)
            except ForeignStep as failed:
                left = left[len(failed.applied) :]
                self.skip(left.pop(0))
            except MigrationFailed as failed:
                left = left[len(failed.applied) :]
                if not self.make_role(failed):
                    raise
            else:
                left = []
        if steps:
            self.model.read(None)
            self.keep_rows(None)

    def skip(self, step: Step) -> None:
        """Let a step count as applied that nobody can run here."""
        self.stepper.record(step)
        self.is_doubtful = True

    def mark_in_use(self) -> None:
        """What is there now is in use, until the end."""
        self.probe.observer.mark_in_use(self._connection)

    def observe(self, step: Step) -> ObservedStep:
        """Run one step, and see what it does; where it fails, its `failure` says so."""
        while True:
            started = time.monotonic()
            self.probe.steps.clear()
            failure: MigrationFailed | None = None
            try:
                self.stepper.run([step], probe=self.probe)
            except MigrationFailed as failed:
                if self.make_role(failed):
                    continue
                failure = failed
                self.probe.fail(failed)
            if self.probe.steps:
                observed = self.probe.steps[-1]
            else:
                seconds = time.monotonic() - started
                observed = ObservedStep(step, True, (), None, seconds, failure, is_seen=False)
            if failure is None or failure.is_partial:
                self.model.read(observed.touched)
            return observed

    def differences(self, since: Mark) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
        """Where the schema is not what it was then: what is real, and what is noise."""
        return part_noise(compare(*self.model.changes(since)), start=self.start)

    def lost(self, touched: Touched) -> tuple[LostData, ...]:
        """The data that was there when the rows were last looked at, and is not there now."""
        known = self._held if touched is None else self._known(touched)
        if not known:
            return ()
        tables, sequences = self._digests.tables(touched), self._digests.sequences(touched)
        return find_lost(known, self._digests.read(tables, sequences.values()))

    def keep_rows(self, touched: Touched, *, refill: bool = True) -> None:
        """Give rows to tables that have none, and remember what all of these hold.

        Not `refill`: only to those that never had any, and what was remembered stands. Where our rows were taken out of
        all tables, all get some again.
        """
        if refill and self._is_cleared:
            touched, self._is_cleared = None, False
        tables = self._digests.tables(touched)
        found = self._digests.read(tables)
        empty = {
            each.oid
            for each in tables
            if each.sql in found and not found[each.sql].rows and (refill or each.oid not in self.seeds.oids)
        }
        sown = self.seeds.sow(tables, empty=empty)
        if not refill:
            return
        gone = list(self._oids) if touched is None else [oid for oid in touched if oid in self._oids]
        for oid in gone:
            self._held.pop(self._oids.pop(oid), None)
        sequences = self._digests.sequences(touched)
        self._held |= found | self._digests.read(
            [each for each in tables if each.oid in sown], sequences.values()
        )
        self._oids |= {each.oid: each.sql for each in tables} | sequences
        self.seeds.forget(set(gone) - set(self._oids))

    def take_rows_out(self) -> None:
        """Take our rows out of all tables."""
        cleared = self.seeds.clear(self._digests.tables(self.seeds.oids))
        self._held |= self._digests.read(cleared)
        self._is_cleared = True

    def why_not_on_rows(self, observed: ObservedStep) -> FailsOnRows:
        """What is to be told of a step that fails only while tables have rows; it was rolled back."""
        failure = observed.failure
        assert failure is not None
        diag = failure.__cause__.diag if isinstance(failure.__cause__, psycopg.Error) else None
        table = column = ""
        if diag is not None and diag.table_name:
            names = [diag.schema_name, diag.table_name, diag.column_name]
            row = self._connection.execute(
                "SELECT format('%%I.%%I', %s::text, %s::text), coalesce(quote_ident(%s), '')", names
            ).fetchone()
            assert row is not None
            table, column = row
        known = {each.name for each in self.model.snapshot.objects if each.kind == "column"}
        is_new = bool(column) and f"{table}.{column}" not in known
        sqlstate = failure.sqlstate or ""
        said = (diag.message_primary if diag else None) or failure.message
        # A new column that must not be NULL, and has no default: no row can have it.
        is_certain = sqlstate == "23502" and is_new
        return FailsOnRows(observed.step.direction, sqlstate, said, table, column, is_certain)

    def without_data(self, since: Mark) -> tuple[str, ...]:
        """Tables with other columns than then, and that held nothing when the rows were last looked at."""
        changed = _changed_tables(*self.model.changes(since))
        return tuple(each for each in changed if each in self._held and not self._held[each].rows)

    def changed_tables(self, since: Mark, until: Mark) -> tuple[str, ...]:
        """Tables that were there before, and had other columns at the second of these moments."""
        return tuple(
            each for each in _changed_tables(*self.model.changes(since, until)) if each in self._held
        )

    def mend(self, left: Sequence[Difference], since: Mark) -> tuple[tuple[str, ...], bool]:
        """The statements that take differences away, as proved; and whether all of them are gone now.

        Only where they are all gone do the statements take effect here.
        """
        mender = Mender(*self.model.changes(since))
        guesses = {each: statements for each in left if (statements := mender.mend(each))}
        if not guesses:
            return (), False
        connection = self._connection
        connection.execute("BEGIN")
        done = self._run_guesses(guesses)
        touched = frozenset(row[0] for row in connection.execute(query("locked").encode()).fetchall())
        self.model.read(touched)
        rest, _ = self.differences(since)
        still = {(each.kind, each.name) for each in rest}
        proved = tuple(
            statement
            for each, statements in done.items()
            if (each.kind, each.name) not in still
            for statement in statements
        )
        connection.execute("ROLLBACK" if rest else "COMMIT")
        if rest:
            self.model.read(touched)
        return proved, not rest

    def _run_guesses(self, guesses: dict[Difference, tuple[str, ...]]) -> dict[Difference, tuple[str, ...]]:
        """Run what the server takes: one may need another first."""
        done: dict[Difference, tuple[str, ...]] = {}
        for _ in range(_MOST_PASSES):
            before = len(done)
            for each, statements in guesses.items():
                if each not in done and self._try(statements):
                    done[each] = statements
            if len(done) in (before, len(guesses)):
                break
        return done

    def _try(self, statements: Sequence[str]) -> bool:
        self._connection.execute("SAVEPOINT howdah_mend")
        try:
            for statement in statements:
                self._connection.execute(statement.encode())
        except psycopg.Error:
            self._connection.execute("ROLLBACK TO howdah_mend")
            return False
        return True

    def _known(self, touched: frozenset[int]) -> dict[str, Digest]:
        names = {self._oids[oid] for oid in touched if oid in self._oids}
        return {name: self._held[name] for name in names if name in self._held}


@contextmanager
def staging(run: Replay, *, has_rows: bool = True) -> Iterator[Stage]:
    """The stage of an empty database, before its first migration; without `has_rows`, tables stay empty."""
    with (
        stepping(run.migrator) as stepper,
        Observer() as observer,
        open_session(run.database, application_name="howdah rehearse") as connection,
    ):
        connection.execute("SET search_path = ''; SET max_parallel_workers_per_gather = 0; SET jit = off")
        tables = [stepper.history_table]
        model = SchemaModel(connection, leave_out=tables)
        yield Stage(
            stepper,
            model,
            Seeds(connection, is_off=not has_rows),
            ObservingProbe(observer),
            model.snapshot,
            run.make_missing_role,
            connection,
            Digests(connection, leave_out=tables),
        )


def _changed_tables(before: Snapshot, after: Snapshot) -> list[str]:
    """The tables that lost, got or changed columns, or are gone."""
    parents = {each.name: each.parent for each in (*before.objects, *after.objects) if each.kind == "column"}
    found = compare(before, after)
    names = {parents[each.name] for each in found if each.kind == "column"}
    return sorted(names | {each.name for each in found if each.kind == "table" and each.after is None})
