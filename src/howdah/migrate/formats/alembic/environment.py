"""What env.py finds as `alembic.context`: it proves where env.py connects, then runs exactly the steps of a plan."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

import psycopg
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from alembic.util import to_tuple

from howdah.errors import HowdahError
from howdah.migrate.formats.alembic.failures import HistoryMoved, environment_failed, refused, revision_failed
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Step

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.runtime.migration import RevisionStep
    from sqlalchemy import Connection


@dataclass(frozen=True)
class _Found:
    """What a session of env.py's is like."""

    is_here: bool
    schema: str | None
    commits_by_itself: bool


@dataclass(frozen=True)
class Guard:
    """Proves that a connection of env.py's leads to our own session's database and history; bounds its lock waits."""

    connection: psycopg.Connection
    table: HistoryTable
    lock_timeout_ms: int

    def check_place(self, theirs: Connection | None, options: Mapping[str, Any], env: str) -> None:
        """Refuse a connection that leads elsewhere or commits by itself, and a history other than ours."""
        if theirs is None:
            raise refused(
                "env.py gives Alembic no connection",
                env,
                "It runs offline, on a URL alone.",
                fix="Call context.configure(connection=...) as the stock env.py does.",
            )
        found = self._look_through(theirs)
        if not found.is_here:
            raise refused(
                f"env.py connects somewhere else than to {self.table.database} as howdah was told",
                env,
                "While howdah runs it, `sqlalchemy.url` and DATABASE_URL name this database.",
                fix="Let env.py take the address from one of them.",
            )
        if found.commits_by_itself:
            raise refused(
                "env.py's connection commits each statement by itself",
                env,
                "A revision that fails would stay half-done.",
                fix='Leave isolation_level="AUTOCOMMIT" out, and use op.get_context().autocommit_block() where needed.',
            )
        schema = options.get("version_table_schema") or found.schema
        table = options.get("version_table") or "alembic_version"
        if (schema, table) != (self.table.schema, self.table.table):
            raise refused(
                f"env.py keeps its history in {schema}.{table}, howdah was told {self.table.schema}.{self.table.table}",
                env,
                "With two histories every revision would run twice.",
                fix=f'Write history-table = "{schema}.{table}" for this database in howdah.toml.',
            )

    def _look_through(self, theirs: Connection) -> _Found:
        """Ask env.py's session. A lock that our session holds is taken in the same database only."""
        is_borrowed = theirs.in_transaction()
        key = secrets.randbits(62)
        self.connection.execute("SELECT pg_advisory_lock(%s::bigint)", [key])
        try:
            row = theirs.exec_driver_sql(
                f"SELECT pg_try_advisory_xact_lock({key}), current_schema(), now()::text"
            ).one()
            # The time of a transaction stands still.
            later = theirs.exec_driver_sql("SELECT now()::text").scalar_one()
        finally:
            self.connection.execute("SELECT pg_advisory_unlock(%s::bigint)", [key])
            if not is_borrowed:
                theirs.rollback()
        return _Found(is_here=not row[0], schema=row[1], commits_by_itself=later != row[2])

    def fence(self, theirs: Connection, heads: set[str]) -> None:
        """At the head of a revision's transaction: no other Alembic moves the history meanwhile, or has since."""
        theirs.exec_driver_sql(f"SET LOCAL lock_timeout = {self.lock_timeout_ms}")
        theirs.exec_driver_sql(f"LOCK TABLE {self.table.sql} IN SHARE ROW EXCLUSIVE MODE")
        found = {row[0] for row in theirs.exec_driver_sql(f"SELECT version_num FROM {self.table.sql}")}
        if found != heads:
            raise HistoryMoved("the history is not where this run left it: somebody else moved it")


def _environment(config: Config, script: ScriptDirectory, run: Run) -> EnvironmentContext:
    """An environment that runs in one transaction per revision, where the guard lets it."""
    # Not a subclass: `alembic.context` leads only to instances of the class itself.
    made = EnvironmentContext(config, script, fn=run.revisions, destination_rev="heads")
    theirs = made.configure

    def configure(*args: Any, **options: Any) -> None:
        """What env.py calls with its connection; nothing has happened in the database yet."""
        callbacks = to_tuple(options.get("on_version_apply"), default=())
        options |= {"transaction_per_migration": True, "on_version_apply": (*callbacks, run.note_heads)}
        theirs(*args, **options)
        context = made.get_context()
        run.guard.check_place(context.connection, made.context_opts, script.env_py_location)
        run.note_ways_out(context)

    made.configure = configure  # type: ignore[method-assign]
    return made


@dataclass
class Run:
    """One run of the file `env` for some steps. `run()` may be called once."""

    config: Config
    env: str
    guard: Guard
    steps: Sequence[Step]
    on_done: Callable[[Step], None]
    _script: ScriptDirectory = field(init=False)
    _heads: set[str] = field(default_factory=set, init=False)
    _current: Step | None = field(default=None, init=False)
    _waiting: list[Step] = field(default_factory=list, init=False)
    _is_clean: bool = field(default=True, init=False)
    _is_begun: bool = field(default=False, init=False)

    def run(self) -> None:
        """Run env.py; `on_done` is called for each step as soon as it is committed."""
        try:
            self._script = ScriptDirectory.from_config(self.config)
            with _environment(self.config, self._script, self):
                self._script.run_env()
        except HowdahError:
            raise
        except (Exception, SystemExit) as error:
            if self._current is None:
                raise environment_failed(error, self.env) from error
            raise revision_failed(error, self._current, is_clean=self._is_clean) from error
        if not self._is_begun:
            raise environment_failed(RuntimeError("it never called context.run_migrations()"), self.env)
        for step in self._waiting:
            self.on_done(step)

    def revisions(self, heads: Any, context: MigrationContext) -> Iterator[RevisionStep]:
        """What Alembic asks for the revisions to run: it commits each before it asks for the next."""
        if self._is_begun:
            raise refused(
                "env.py runs the revisions more than once",
                self.env,
                "It goes through several databases; howdah migrates one at a time.",
                fix="Give each database a folder of its own, or a command: see `foreign` in howdah.toml.",
            )
        self._is_begun = True
        self._heads = set(heads)
        # A transaction that env.py began itself holds all revisions, and ends when env.py ends it.
        is_one = context._in_external_transaction  # noqa: SLF001 - nothing else tells
        for step in self.steps:
            self._current = step
            self._is_clean = True
            yield self._prepare(step, context)
            if is_one:
                self._waiting.append(step)
            else:
                self._current = None
                self.on_done(step)

    def note_heads(self, *, heads: set[str], **_: object) -> None:
        """Called by Alembic where it has written the heads after a revision."""
        self._heads = set(heads)

    def note_ways_out(self, context: MigrationContext) -> None:
        """Have it noted when a revision leaves its transaction: what it did before is committed."""
        theirs = context.autocommit_block

        @contextmanager
        def autocommit_block() -> Iterator[None]:
            self._is_clean = False
            with theirs():
                yield

        context.autocommit_block = autocommit_block  # type: ignore[method-assign]

    def _prepare(self, step: Step, context: MigrationContext) -> RevisionStep:
        make = (
            MigrationStep.upgrade_from_script
            if step.direction is Direction.UP
            else MigrationStep.downgrade_from_script
        )
        prepared = make(self._script.revision_map, self._script.get_revision(step.migration.version))
        theirs = prepared.migration_fn

        @wraps(theirs)
        def fenced(**arguments: Any) -> None:
            assert context.connection is not None
            self.guard.fence(context.connection, self._heads)
            theirs(**arguments)

        prepared.migration_fn = fenced
        return prepared
