"""Run a directory's migrations on an empty database, and read what they built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from howdah.config.database import DatabaseConfig
from howdah.config.project import SetupSettings
from howdah.connect.session import open_session
from howdah.errors import MigrationFailed, RefusedError
from howdah.migrate.events import Event, StepStarted
from howdah.migrate.migrator import Migrator
from howdah.migrate.probe import Probe
from howdah.provision.extensions import read_extension
from howdah.rehearse.interrupts import raising_interrupts
from howdah.rehearse.throwaway import Throwaway
from howdah.schema.load import missing_role
from howdah.schema.snapshot import Snapshot, read_schema


@dataclass(frozen=True)
class Surroundings:
    """What a database had before its first migration: setup, or a person, made it.

    Attributes:
        schema: where unqualified names, and the history, go.
        search_path: as SET takes it; "" for the default.
        extensions: names.
        schemas: other schemas that are there, names.
    """

    schema: str = "public"
    search_path: str = ""
    extensions: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()


PLAIN = Surroundings()


def surroundings_of(setup: SetupSettings) -> Surroundings:
    """What setup makes before the first migration."""
    extensions = tuple(read_extension(each).name for each in setup.extensions)
    return Surroundings(extensions=extensions, schemas=setup.schemas)


def read_surroundings(connection: psycopg.Connection) -> Surroundings:
    """Those of a live database, as its session has them; what its migrations make themselves is among them."""
    row = connection.execute(
        "SELECT current_schema(), replace(current_setting('search_path'), '\"$user\"', quote_ident(current_user)),"
        " ARRAY(SELECT extname::text FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1)"
    ).fetchone()
    assert row is not None
    return Surroundings(row[0] or "public", row[1], tuple(row[2]))


@dataclass(frozen=True)
class Replay:
    """A database in the making."""

    migrator: Migrator
    throwaway: Throwaway

    def up(self, *, to: str | None = None) -> None:
        """Apply the migrations, as far as `to`.

        Raises:
            RefusedError: one fails on a database that has only what came before it.
        """
        while True:
            try:
                with raising_interrupts():
                    self.migrator.up(to=to)
            except MigrationFailed as failed:
                if not self.make_missing_role(failed):
                    raise _cannot_replay(self.migrator, failed, "up") from failed
            else:
                return

    def down(self) -> None:
        """Revert them all. Raises RefusedError: one fails."""
        try:
            with raising_interrupts():
                self.migrator.down(to=0)
        except MigrationFailed as failed:
            raise _cannot_replay(self.migrator, failed, "down") from failed

    def history_table(self) -> tuple[str, str]:
        """Schema and name of the history."""
        with self._session() as connection:
            table = self.migrator.access.look(connection).table
        return table.schema, table.table

    def snapshot(self) -> Snapshot:
        """What is there, without the history."""
        leave_out = [self.history_table()]
        with self._session() as connection:
            return read_schema(connection, leave_out=leave_out)

    def row_counts(self) -> Mapping[str, int]:
        """Rows of each table that has any, without the history."""
        counts = {}
        with self._session() as connection:
            tables = connection.execute(
                "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema$|howdah$)'"
                " AND (n.nspname, c.relname) <> (%s, %s)",
                self.history_table(),
            ).fetchall()
            for schema, name in tables:
                query = sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(schema, name))
                row = connection.execute(query).fetchone()
                assert row is not None
                if row[0]:
                    counts[f"{schema}.{name}"] = row[0]
        return counts

    @property
    def database(self) -> DatabaseConfig:
        """Its address."""
        return self.migrator.database

    def _session(self) -> psycopg.Connection:
        return open_session(self.database, application_name="howdah rehearse")

    def make_missing_role(self, failed: MigrationFailed) -> bool:
        """Whether all that failed was a role that setup makes, not a migration; on our own server it is made now."""
        role = missing_role(failed.message, failed.sqlstate)
        if role is None or not self.throwaway.is_ours:
            return False
        with self._session() as connection:
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        return True


@contextmanager
def replaying(
    throwaway: Throwaway,
    format: str,
    directory: Path,
    *,
    surroundings: Surroundings = PLAIN,
    variables: Mapping[str, str] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    probe: Probe | None = None,
) -> Iterator[Replay]:
    """A database to run a directory's migrations on; it is dropped at the end.

    `variables` are what the files may put in, None: that is refused; `on_step` is told what begins.
    """

    def tell(event: Event) -> None:
        if isinstance(event, StepStarted):
            migration = event.step.migration
            on_step(f"replaying {event.number}/{event.total} {migration.version} {migration.name}")

    with throwaway.database() as database:
        _prepare(database, surroundings)
        migrator = Migrator(
            database=database,
            directory=directory,
            format=format,
            variables=variables,
            is_throwaway=True,
            on_event=tell,
            probe=probe,
        )
        yield Replay(migrator, throwaway)


def _prepare(database: DatabaseConfig, surroundings: Surroundings) -> None:
    """Make an empty database what the first migration finds elsewhere."""
    with open_session(database) as connection:
        for name in (surroundings.schema, *surroundings.schemas):
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(name)))
        for name in surroundings.extensions:
            offered = connection.execute(
                "SELECT FROM pg_available_extensions WHERE name = %s", [name]
            ).fetchone()
            if offered is not None:
                create = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(sql.Identifier(name))
                connection.execute(create)
        if surroundings.search_path:
            connection.execute("SELECT set_config('search_path', %s, false)", [surroundings.search_path])
            here = sql.Identifier(database.database)
            connection.execute(sql.SQL("ALTER DATABASE {} SET search_path FROM CURRENT").format(here))


def _cannot_replay(migrator: Migrator, failed: MigrationFailed, way: str) -> RefusedError:
    return RefusedError(
        f"migration {failed.failed} fails on a database made by the files alone ({way}): {failed.message}",
        code="replay-failed",
        where=failed.where,
        why=f"The files in {migrator.directory} are run on an empty database first. Nothing of yours was changed.",
        fix="Mend the file; or put what it needs, such as an extension, where setup makes it.",
    )
