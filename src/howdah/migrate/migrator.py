"""The one public object: migrations of a directory against a database, in a tool's format."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings, ForeignSettings, load_project
from howdah.config.references import expand_values
from howdah.config.resolve import resolve
from howdah.errors import DirtyDatabase, HistoryMismatch
from howdah.findings import Finding, Severity
from howdah.migrate.access import Access
from howdah.migrate.after_run import KeepSchema, after_run
from howdah.migrate.events import Event, Noted, Result
from howdah.migrate.formats import DEFAULT_FORMAT, find_format
from howdah.migrate.formats.interface import Format, Keeps, NamesHistory, OutOfOrder
from howdah.migrate.history import History, history_name
from howdah.migrate.log import log_event
from howdah.migrate.migration import SQUASHED_FOLDER, Source
from howdah.migrate.plan import Plan, Wish, plan_down, plan_up, stops_before
from howdah.migrate.probe import Probe
from howdah.migrate.settings import RunSettings
from howdah.migrate.status import Status, build_status, find_changes

if TYPE_CHECKING:
    from howdah.migrate.declare import Resolution
    from howdah.migrate.diagnosis import Diagnosis
    from howdah.migrate.repair import EditedFile

_log = logging.getLogger(__name__)
_FALSE = {"0", "false", "no", "off"}


@dataclass(frozen=True, kw_only=True)
class Migrator:
    """Migrations of a directory against a database. Every method opens its own session and closes it.

    Attributes:
        database: the address; a pooler in transaction mode is refused, so give the server's own.
        directory: where the files are.
        format: name of the tool whose files and history these are; told by the files where nobody says it.
        evidence: what in the files speaks for the format; empty: somebody said it.
        table: name of the history table, where it is not the tool's default; unquoted.
        schema: its schema; None: the first of the search_path, as the tool does.
        out_of_order: what `up` does with a migration older than the newest applied one; None: what the tool does.
        variables: what the files may put in (goose's ENVSUB, Flyway's placeholders); None: that is refused.
        foreign: the commands for migrations that are no SQL.
        is_throwaway: the database is; nothing that outlives it is written, such as dbmate's schema.sql.
        settings: how patient a run is.
        on_event: called as the run goes; the default logs.
        keep_schema: called after a run that changed something; None: the project has no file of the structure.
        probe: looks at each statement of SQL from inside the run's session, on a throwaway server; None: nobody does.
    """

    database: DatabaseConfig
    directory: Path
    format: str = ""
    evidence: str = ""
    table: str | None = None
    schema: str | None = None
    out_of_order: OutOfOrder | None = None
    variables: Mapping[str, str] | None = None
    foreign: ForeignSettings = field(default_factory=ForeignSettings)
    is_throwaway: bool = False
    settings: RunSettings = field(default_factory=RunSettings)
    on_event: Callable[[Event], None] = log_event
    keep_schema: KeepSchema | None = None
    probe: Probe | None = None

    def __post_init__(self) -> None:
        """Tell the format by the files, and the history where they say it. Raises ConfigError: for more than one."""
        if not self.format:
            from howdah.migrate.formats.detect import detect_format

            reading = detect_format(self.directory, default=DEFAULT_FORMAT)
            # What a frozen object is made of is settled while it is made.
            object.__setattr__(self, "format", reading.format)
            object.__setattr__(self, "evidence", reading.evidence)
        if self.table is None and self.schema is None:
            files = find_format(self.format).files
            if isinstance(files, NamesHistory):
                schema, table = files.history_name(self.directory)
                object.__setattr__(self, "schema", schema)
                object.__setattr__(self, "table", table)

    @classmethod
    def of(
        cls,
        settings: DatabaseSettings,
        database: DatabaseConfig,
        *,
        root: Path,
        directory: Path | None = None,
        format: str | None = None,
        out_of_order: OutOfOrder | None = None,
        run_settings: RunSettings | None = None,
        on_event: Callable[[Event], None] = log_event,
    ) -> Migrator:
        """The migrator of one of a project's databases; `directory` and `format` go before what the project says.

        Raises:
            ConfigError: nobody says where the migrations are, and under `root` is not exactly one such folder;
                or nobody says the format, and the files speak for more than one.
        """
        from howdah.migrate.discover import find_migrations

        schema, table = history_name(settings, database)
        return cls(
            database=database,
            directory=directory or settings.migrations or find_migrations(root),
            format=format or settings.format or "",
            table=table,
            schema=schema,
            out_of_order=out_of_order
            or (OutOfOrder(settings.out_of_order) if settings.out_of_order else None),
            variables=expand_values(settings.variables, [os.environ]),
            foreign=settings.foreign,
            settings=(run_settings or RunSettings()).or_stall(settings.max_stall_seconds),
            on_event=on_event,
        )

    @classmethod
    def from_environment(
        cls, directory: Path | str | None = None, *, db: str | None = None, root: Path | None = None
    ) -> Migrator:
        """The migrator an application means that says nothing: howdah.toml, the environment's variables, .env.

        The address is found in the documented order, as the command line finds it (except a dev server's);
        `db` chooses among the databases of a project, `root` is where to look for the project.

        Raises:
            ConfigError: nothing names a database, or the migrations.
        """
        from howdah.migrate.discover import directory_of

        project = load_project(root)
        found = resolve(project, db=db)
        return cls.of(
            found.settings,
            found.direct or found.database,
            root=project.root,
            directory=directory_of(found.settings, project) if directory is None else Path(directory),
        )

    def source(self) -> Source:
        """The migration files, and a note where there are none. Raises SourceError."""
        return self._format.files.read(self.directory).noting_none()

    def status(self) -> Status:
        """Each migration and its state; changes nothing, takes no lock."""
        source = self.source()
        with self.access.session() as connection:
            history = self.access.read(connection)[1]
            whole = self._whole(source, history)
            found = build_status(self._format, whole, history, out_of_order=self.out_of_order)
            return replace(found, server=connection.info.parameter_status("server_version") or "")

    def plan(self, *, to: int | str | None = None) -> Plan:
        """What `up` would run, judged like `up` would; changes nothing, takes no lock."""
        source = self.source()
        with self.access.session() as connection:
            history = self.access.read(connection)[1]
        plan = self._plan_up(source, history, to)
        return self._judge(replace(plan, notes=(*plan.notes, *self._changes(source, history))))

    def plan_down(self, *, to: int | str | None = None) -> Plan:
        """What `down` would run; changes nothing, takes no lock."""
        source = self.source()
        with self.access.session() as connection:
            plan = self._plan_down(source, self.access.read(connection)[1], to)
        return self._judge(plan)

    def up(self, *, to: int | str | None = None, wait_seconds: float = 0) -> list[Result]:
        """Apply what is pending, up to `to` where given; what took effect, in order.

        Waits `wait_seconds` for the server to be ready. With nothing pending it costs two round trips, no lock.

        Raises:
            MigrationFailed: says what is applied and what is not.
            LockTimeout, DirtyDatabase, HistoryMismatch, SourceError, RefusedError, ConnectError.
        """
        source = self.source()
        wish = Wish(
            source,
            lambda history: self._plan_up(source, history, to),
            may_resume=lambda version: self._is_within(source, version, to),
        )
        return self._run(wish, wait_seconds=wait_seconds)

    def down(self, *, to: int | str | None = None) -> list[Result]:
        """Revert the newest applied migration, or those down to `to` (0: all). Raises as `up`."""
        source = self.source()
        return self._run(Wish(source, lambda history: self._plan_down(source, history, to)), wait_seconds=0)

    def up_at_start(
        self,
        *,
        switch: str = "HOWDAH_AUTO_MIGRATE",
        wait_seconds: float = 60,
        lock_limit_seconds: float = 600,
    ) -> list[Result]:
        """For an application that migrates when it starts: `up`, unless the variable `switch` says off.

        Waits `wait_seconds` for the server. Of many instances one migrates while the others wait for it, at most
        `lock_limit_seconds`; they return an empty list.
        """
        if os.environ.get(switch, "").strip().lower() in _FALSE:
            _log.info("%s is off: no migrations", switch)
            return []
        patient = replace(self.settings, lock_limit_seconds=lock_limit_seconds)
        return replace(self, settings=patient).up(wait_seconds=wait_seconds)

    def diagnose(self) -> Diagnosis:
        """What is known of a dirty version: what ran, what is there, and whether a session still runs it."""
        from howdah.migrate.diagnosis import diagnose

        source = self.source()
        with self.access.session() as connection:
            return diagnose(connection, self._format, source, self.access.read(connection)[1])

    def resolve(self, version: int | str, *, applied: bool) -> Resolution:
        """Declare a version applied, or reverted, and the history clean. Runs nothing."""
        from howdah.migrate import declare

        source = self.source()
        with self.access.locked() as (connection, at):
            history = self.access.make_ready(connection, at, source)
            named = self._version(source, version)
            return declare.resolve(connection, self._format, source, history, named, applied=applied)

    def baseline(self, version: int | str) -> Resolution:
        """Adopt a database that was set up otherwise: `version` and all below it count as applied."""
        from howdah.migrate.declare import baseline

        source = self.source()
        with self.access.locked() as (connection, at):
            history = self.access.make_ready(connection, at, source)
            return baseline(connection, self._format, source, history, self._version(source, version))

    def repair(self, *, accept: Collection[int | str] = (), dry_run: bool = False) -> tuple[EditedFile, ...]:
        """Take edited files for what was applied: those that say the same, and those of the versions in `accept`."""
        from howdah.migrate.repair import find_edited, take_checksums

        source = self.source()
        accepted = {self._version(source, version) for version in accept}
        if dry_run:
            with self.access.session() as connection:
                history = self.access.read(connection)[1]
                return find_edited(connection, self._format, source, history, accept=accepted)
        with self.access.locked() as (connection, at):
            history = self.access.make_ready(connection, at, source)
            edited = find_edited(connection, self._format, source, history, accept=accepted)
            take_checksums(connection, self._format, history, edited)
            return edited

    @property
    def _format(self) -> Format:
        return find_format(self.format, variables=self.variables)

    @property
    def access(self) -> Access:
        """The way to the history in the database."""
        return Access(
            database=self.database,
            format=self._format,
            evidence=self.evidence,
            table=self.table,
            schema=self.schema,
            lock_limit_seconds=self.settings.lock_limit_seconds,
            on_event=self.on_event,
        )

    def _run(self, wish: Wish, *, wait_seconds: float) -> list[Result]:
        source = wish.source
        with self.access.session(wait_seconds=wait_seconds) as connection:
            at, history = self.access.read(connection)
            if history.applied:
                self._note(self._changes(source, history))
            try:
                plan = wish.make_plan(history)
                self._note(plan.notes)
                if not plan.steps:
                    return []
            except DirtyDatabase:
                # Another run may be in the middle of a step outside a transaction: ask again once it has ended.
                pass
            # Loaded when there is something to run: nothing pending must cost next to nothing.
            from howdah.migrate.turns import Turns

            done = Turns(
                connection,
                self.access,
                wish,
                self.database,
                self.foreign,
                self.settings,
                self.on_event,
                self.probe,
            ).take(at)
            if done and not self.is_throwaway:
                self._note(after_run(connection, self.access, at, source, keep=self.keep_schema))
            return done

    def _is_within(self, source: Source, version: str, to: int | str | None) -> bool:
        """Whether a run up to `to` takes this version in."""
        if to is None:
            return True
        key = self._format.files.sort_key
        wanted = self._version(source, to)
        return wanted == version or (
            self._format.table.keeps is not Keeps.HEADS and key(version) <= key(wanted)
        )

    def _plan_up(self, source: Source, history: History, to: int | str | None) -> Plan:
        wanted = None if to is None else self._version(source, to)
        whole = self._whole(source, history)
        return plan_up(self._format, whole, history, to=wanted, out_of_order=self.out_of_order)

    def _plan_down(self, source: Source, history: History, to: int | str | None) -> Plan:
        wanted = None if to is None else "0" if str(to) == "0" else self._version(source, to)
        return plan_down(self._format, self._whole(source, history), history, to=wanted)

    def _whole(self, source: Source, history: History) -> Source:
        """The migrations as this database wants them: where it stands among squashed ones, with those."""
        if not (source.directory / SQUASHED_FOLDER).is_dir():
            return source
        from howdah.migrate.squashed import carry_on

        return carry_on(self._format, source, history)

    def _version(self, source: Source, version: int | str) -> str:
        return self._format.files.parse_version(str(version), source)

    def _changes(self, source: Source, history: History) -> tuple[Finding, ...]:
        """What is to be said of edited files.

        Raises:
            HistoryMismatch: the tool itself would stop at one.
        """
        changes = find_changes(self._format, self._whole(source, history), history)
        for each in changes:
            if each.severity is Severity.ERROR:
                raise HistoryMismatch(
                    each.message,
                    code=each.code,
                    where=each.where,
                    why=f"{each.why} {self.format} stops at it, too.",
                    fix=each.fix,
                    next=each.next,
                )
        return changes

    def _judge(self, plan: Plan) -> Plan:
        from howdah.migrate.scripts import Scripts

        Scripts(plan)
        return replace(plan, notes=(*plan.notes, *stops_before(plan, self.foreign)))

    def _note(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.on_event(Noted(finding))
