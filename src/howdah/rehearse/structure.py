"""The structure of a database as a file to commit: write it, and check that it is what the migrations give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.findings import Finding
from howdah.migrate.migrator import Migrator
from howdah.migrate.own_tables import Names, find_own_tables, read_landmarks
from howdah.rehearse.replay import PLAIN, Surroundings
from howdah.rehearse.sides import FileSide
from howdah.rehearse.throwaway import throwaway
from howdah.rehearse.verify import Chain, Rehearsal
from howdah.schema.compare import Difference, compare
from howdah.schema.dump import Dump, dump_schema, file_text, in_one_line, names_newest
from howdah.schema.load import read_sql
from howdah.schema.snapshot import Snapshot, read_schema
from howdah.server.choice import Need


@dataclass(frozen=True)
class Structure:
    """A database's structure as SQL and as a snapshot, and its newest applied migration (None: nobody knows)."""

    dump: Dump
    snapshot: Snapshot
    newest: str | None

    @property
    def text(self) -> str:
        """What the file is to say."""
        return file_text(self.dump, self.newest)


@dataclass(frozen=True)
class Checked:
    """Whether a committed file is what the migrations give.

    Attributes:
        differences: from what they give to what the file builds.
        named: the newest migration, as the file says; None: it does not.
        newest: the newest there is, or "none".
    """

    differences: tuple[Difference, ...]
    named: str | None
    newest: str
    notes: tuple[Finding, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether there is nothing to write anew."""
        return not self.differences and self.named in (None, in_one_line(self.newest))


def read_structure(
    database: DatabaseConfig, migrator: Migrator | None = None, *, privileges: bool = False
) -> Structure:
    """Read it; changes nothing. `migrator` knows the history, where there are migrations.

    Raises:
        UnsupportedError: there is no pg_dump for this server.
        CommandError: pg_dump failed: this role may not read every table, for one.
    """
    with open_session(database, application_name="howdah schema") as connection:
        own: Names
        newest: str | None
        if migrator is None:
            own, newest = find_own_tables(connection), None
        else:
            own, newest = read_landmarks(connection, migrator.access, migrator.source())
        snapshot = read_schema(connection, leave_out=own, privileges=privileges)
        dump = dump_schema(connection, database, leave_out=own, privileges=privileges)
    return Structure(dump, snapshot, newest)


def check_file(
    file: Path,
    chain: Chain,
    *,
    rehearsal: Rehearsal,
    surroundings: Surroundings = PLAIN,
    major: int | None = None,
) -> Checked:
    """Build what the migrations give, and what the file says, on a server that is thrown away, and compare.

    So it does not matter which version of PostgreSQL, or which tool, worded the file.

    Raises:
        SourceError: there is no such file.
        RefusedError: a migration or a statement of the file fails on an empty database.
    """
    text = read_sql(file)
    side = FileSide(str(file), file)
    need = Need(major, chain.extensions | side.extensions | set(surroundings.extensions))
    with throwaway(need, at=rehearsal.at, environ=rehearsal.environ) as server:
        with rehearsal.replaying(server, chain, surroundings) as run:
            run.up()
            with open_session(run.database, application_name="howdah schema") as connection:
                own, newest = read_landmarks(connection, run.migrator.access, chain.source)
                expected = read_schema(connection, leave_out=own)
        found = side.build(server, rehearsal)
    return Checked(compare(expected, found), names_newest(text), newest, server.notes)
