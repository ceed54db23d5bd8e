"""The two sides of a comparison: a live database, what migrations build, what a file says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.findings import Finding
from howdah.migrate.migrator import Migrator
from howdah.migrate.own_tables import find_own_tables, own_tables
from howdah.pg.extensions import created_extensions
from howdah.rehearse.drift import differences, major_notes, version_notes
from howdah.rehearse.replay import PLAIN, Surroundings
from howdah.rehearse.throwaway import Throwaway, throwaway
from howdah.rehearse.verify import Chain, Rehearsal
from howdah.schema.compare import Difference
from howdah.schema.load import load_sql, read_sql
from howdah.schema.snapshot import Snapshot, read_schema
from howdah.server.choice import Need

_APPLICATION = "howdah schema"


@dataclass(frozen=True)
class LiveSide:
    """A database in use; `migrator` knows its history, where there are migrations."""

    name: str
    database: DatabaseConfig
    migrator: Migrator | None = None

    def read(self, *, privileges: bool = False) -> Snapshot:
        """Its structure without what is the migration tools' own."""
        with open_session(self.database, application_name=_APPLICATION) as connection:
            if self.migrator is None:
                own = find_own_tables(connection)
            else:
                access = self.migrator.access
                own = own_tables(connection, access.format, access.look(connection).table)
            return read_schema(connection, leave_out=own, privileges=privileges)


class BuiltSide(Protocol):
    """What is built on a server that is thrown away."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def extensions(self) -> frozenset[str]:
        """Those that the server must have."""
        ...

    def build(self, server: Throwaway, rehearsal: Rehearsal) -> Snapshot:
        """Build it and read it. Raises RefusedError: a statement fails."""
        ...


@dataclass(frozen=True)
class MigrationsSide:
    """What migrations build, as far as `to`."""

    name: str
    chain: Chain
    to: str | None = None
    surroundings: Surroundings = PLAIN

    @property
    def extensions(self) -> frozenset[str]:
        """Those that it creates, or finds there."""
        return self.chain.extensions | set(self.surroundings.extensions)

    def build(self, server: Throwaway, rehearsal: Rehearsal) -> Snapshot:
        """Apply them to an empty database."""
        with rehearsal.replaying(server, self.chain, self.surroundings) as run:
            run.up(to=self.to)
            return run.snapshot()


@dataclass(frozen=True)
class FileSide:
    """What a file of SQL builds."""

    name: str
    file: Path

    @property
    def extensions(self) -> frozenset[str]:
        """Those that it creates."""
        return frozenset(created_extensions(read_sql(self.file)))

    def build(self, server: Throwaway, rehearsal: Rehearsal) -> Snapshot:
        """Load it into an empty database."""
        rehearsal.on_step(f"loading {self.file}")
        with server.database() as database, open_session(database, application_name=_APPLICATION) as session:
            load_sql(session, read_sql(self.file), file=self.file, make_roles=server.is_ours)
            # A dump of another tool may have left the session without a search_path, or with other settings.
            session.execute("RESET ALL")
            return read_schema(session, leave_out=find_own_tables(session))


Side = LiveSide | BuiltSide


@dataclass(frozen=True)
class Compared:
    """What differs between two sides, and what to know of the comparison."""

    before: Snapshot
    after: Snapshot
    differences: tuple[Difference, ...]
    notes: tuple[Finding, ...] = ()


def compare_sides(
    before: Side,
    after: Side,
    *,
    rehearsal: Rehearsal,
    ignoring: Sequence[str] = (),
    privileges: bool = False,
    major: int | None = None,
) -> Compared:
    """Read or build both, and compare. `major` is of the server to build on, where neither side is live.

    Raises:
        RefusedError: a side cannot be built.
        ConnectError, UnsupportedError: a live one cannot be reached; no PostgreSQL here has what is needed.
    """
    found = {
        number: side.read(privileges=privileges)
        for number, side in enumerate((before, after))
        if isinstance(side, LiveSide)
    }
    built = {number: side for number, side in enumerate((before, after)) if not isinstance(side, LiveSide)}
    notes: tuple[Finding, ...] = ()
    if built:
        majors = [each.major for each in found.values()]
        need = Need(
            majors[0] if majors else major, frozenset().union(*(each.extensions for each in built.values()))
        )
        with throwaway(need, at=rehearsal.at, environ=rehearsal.environ) as server:
            notes = server.notes
            found |= {number: side.build(server, rehearsal) for number, side in built.items()}
    old, new = found[0], found[1]
    changed = differences(old, new, ignoring=("extension version", *ignoring))
    return Compared(old, new, changed, (*notes, *major_notes(old, new), *version_notes(old, new)))
