"""What a format is: everything that differs from tool to tool, all of it pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from howdah.migrate.formats.files import Refuse, raise_at_once
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Source, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from howdah.config.database import DatabaseConfig
    from howdah.findings import Finding


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with its parameters as text (None: NULL). Placeholders are $1, $2, ..., each with a cast."""

    sql: str
    parameters: tuple[str | None, ...] = ()


class Transaction(Enum):
    """How a body wants to run."""

    AUTO = "in one transaction where PostgreSQL allows one"
    """The tool begins none; PostgreSQL decides."""
    ALWAYS = "in one transaction"
    """What PostgreSQL forbids in one is refused, with the directive that the file lacks."""
    NEVER = "outside a transaction"
    """The file says so."""


@dataclass(frozen=True)
class Body:
    """What one direction of a migration runs, as its file says.

    Attributes:
        text: the SQL: the whole file, or the section of this direction. Annotations may stay in it: they are comments.
        first_line: the line of the file at which `text` begins, from 1.
        transaction: how it wants to run.
        directive: what to write into the file so that it runs outside a transaction (`-- +goose NO TRANSACTION`);
            empty where the tool has none.
        as_one_message: the tool sends the text as one message: even outside a transaction, several statements
            succeed or fail together.
        blocks: first and last line, in the file, of what the tool sends as one message (goose's StatementBegin).
        is_missing: the file has no such section: nothing says how to go this way.
        is_foreign: it is no SQL: only line ends may differ without a difference in meaning.
        is_filled: values of variables were put in: the text is not what the file says, and is not to be kept.
    """

    text: str
    first_line: int = 1
    transaction: Transaction = Transaction.AUTO
    directive: str = ""
    as_one_message: bool = False
    blocks: tuple[tuple[int, int], ...] = ()
    is_missing: bool = False
    is_foreign: bool = False
    is_filled: bool = False


class Phase(Enum):
    """Where a history stands with one step."""

    BEFORE = "not begun"
    RUNNING = "begun outside a transaction, not ended"
    AFTER = "done"

    def is_applied(self, direction: Direction) -> bool:
        """Whether the migration of a step in this phase is applied. What runs is not yet done, either way."""
        return (self is Phase.AFTER) == (direction is Direction.UP)


class Keeps(Enum):
    """What a history table holds."""

    NUMBER = "the current version"
    """Files up to it count as applied: golang-migrate."""
    EVERY = "a row for each applied version"
    HEADS = "the newest version of each branch"
    """What they descend from is applied, too: Alembic."""


class OutOfOrder(Enum):
    """What `up` does with a pending migration older than the newest applied one. It is listed in each case."""

    REFUSE = "refuse"
    APPLY = "apply"
    SKIP = "skip"


class Files(Protocol):
    """A tool's migration files. Methods may be called any number of times."""

    def read(self, directory: Path, *, refuse: Refuse = raise_at_once) -> Source:
        """The migrations of a directory in the order they run.

        `refuse` is called with each file that is wrong, such as a duplicate; without it the first one is raised.
        Raises SourceError: there is no directory, or nothing can be read of it.
        """
        ...

    def new(self, source: Source, words: str) -> Mapping[str, str]:
        """Name and text of the files that a new migration with these words gets."""
        ...

    def read_body(self, path: Path, text: str, direction: Direction) -> Body:
        """The part of a file's text that this direction runs. Raises SourceError where the tool would refuse it."""
        ...

    def checksum(self, raw: bytes) -> str | None:
        """The checksum that the tool keeps of a file, as `Applied.checksum` shows it; None where it keeps none."""
        ...

    def parse_version(self, text: str, source: Source) -> str:
        """A version as a person types it ("007") in the form that Migration.version has ("7"); no file need have it.

        Raises ConfigError: it cannot be a version.
        """
        ...

    def sort_key(self, version: str) -> tuple[int | str, ...]:
        """Orders versions as the tool does."""
        ...


@runtime_checkable
class TakesVariables(Protocol):
    """Files into which values may be put before they run."""

    def with_variables(self, variables: Mapping[str, str]) -> Files:
        """The same, with these values; without any, a file that wants some is refused."""
        ...


@runtime_checkable
class NamesHistory(Protocol):
    """Files that say themselves in which table the history is."""

    def history_name(self, directory: Path) -> tuple[str | None, str | None]:
        """Schema and table; None for what they do not say. Never raises."""
        ...


class Table(Protocol):
    """A tool's history table and lock. All pure: they make statements."""

    name: str
    """Where nobody says another."""

    keeps: Keeps

    marks_running: bool
    """It can say that a step has begun and not ended (Phase.RUNNING); otherwise only the side history can."""

    out_of_order: OutOfOrder
    """What the tool itself does."""

    refuses_changes: bool
    """The tool stops at an applied migration whose file is missing or modified."""

    fence: bool
    """Some of the tool's programs take no lock: the table itself is locked during each step, so that they wait."""

    def recognises(self, columns: Mapping[str, str]) -> bool:
        """Whether a table with these columns (name -> format_type) is this tool's."""
        ...

    def lock_keys(self, table: HistoryTable) -> tuple[int, ...]:
        """The advisory lock keys that exclude every version of the tool, ascending; () where it takes none."""
        ...

    def create(self, table: HistoryTable) -> Sequence[Query]:
        """Make the table as the tool would, and what rows it begins with. Does nothing where it is there."""
        ...

    def read(self, table: HistoryTable) -> Query:
        """Rows of (version text, is_dirty boolean, checksum text, applied_at timestamptz), in the order applied.

        `is_dirty`: begun and not ended; checksum and time may be NULL, and so may be left out at the end of the row;
        a fifth boolean says that all lower versions count as applied with this one.
        """
        ...

    def record(
        self, table: HistoryTable, step: Step, checksum: str | None, *, start: Phase | None, end: Phase
    ) -> Sequence[Query]:
        """Take the history of one step from a phase to another; () where they look alike in this table.

        `checksum` is Files.checksum of the up file (None: no file, or none kept).

        Fails with SQLSTATE 22012 (division by zero) where the history is not at `start`, so that a history
        changed under us is never overwritten. `start=None` overwrites whatever is there.
        """
        ...

    def baseline(
        self, table: HistoryTable, declared: Sequence[tuple[Migration, str | None]]
    ) -> Sequence[Query]:
        """Record these migrations (each with its checksum), all up to a baseline, as applied, in an empty history."""
        ...

    def bless(self, table: HistoryTable, version: str, checksum: str) -> Sequence[Query]:
        """Put a new checksum of an applied file into the table; () where it keeps none."""
        ...


class Lease(Protocol):
    """A lock of the tool that is a row in a table: it names its holder, and expires unless that one renews it.

    All pure. `place` is the quoted name of the table, `holder` the one who asks.
    """

    @property
    def renew_every_seconds(self) -> float:
        """A small part of the time in which it expires."""
        ...

    def find(self, table: HistoryTable) -> Query:
        """A row (schema, name) of the table that belongs to this history; none where there is no such table."""
        ...

    def take(self, place: str, holder: str) -> Query:
        """Take the lease; a row where nobody held it."""
        ...

    def renew(self, place: str, holder: str) -> Query:
        """Put the end off; a row where the lease is still this holder's."""
        ...

    def release(self, place: str, holder: str) -> Query:
        """Give it back; a row where it was still this holder's."""
        ...

    def read(self, place: str) -> Query:
        """A row (holder, seconds since it was taken, seconds until it expires) where somebody holds it."""
        ...


class Host(Protocol):
    """Runs, in this process, the steps that only the tool itself can run. Its own lock is free meanwhile."""

    def run(
        self,
        steps: Sequence[Step],
        *,
        directory: Path,
        database: DatabaseConfig,
        connection: psycopg.Connection,
        table: HistoryTable,
        stall_seconds: float,
        on_done: Callable[[Step], None],
    ) -> None:
        """Run the steps in order, `on_done(step)` after each that is committed; `connection` holds howdah's lock.

        The caller verifies in the history what took effect. Raises MigrationFailed for the step that failed: with a
        SQLSTATE, and nothing of it took effect where that says "try again".
        """
        ...

    def autogenerate(self, directory: Path, words: str, database: DatabaseConfig) -> tuple[Path, ...]:
        """Write the migration that brings a database to the application's models; the files. Raises MigrationError."""
        ...


class AfterRun(Protocol):
    """What a tool does beyond migrating, such as writing a file. Never raises: the run has taken effect."""

    def __call__(
        self, connection: psycopg.Connection, database: DatabaseConfig, table: HistoryTable, directory: Path
    ) -> Sequence[Finding]:
        """Do it; what was done, or why not."""
        ...


@dataclass(frozen=True)
class Format:
    """A tool's files + history table + lock. `name` is as in howdah.toml and `--format`.

    `host` runs the steps that are no SQL; None: a command that the project names does. `after_run` does what else the
    tool does after a run that changed something. `lease` is a lock that some of its programs take instead of the
    table's lock_keys, where its table is there. `follows_search_path`: it finds its table in any schema of the path,
    not only in the first. `dirty_means`, a sentence: what a mark says that no run of ours has left.
    """

    name: str
    files: Files
    table: Table
    host: Host | None = None
    after_run: AfterRun | None = None
    lease: Lease | None = None
    follows_search_path: bool = False
    dirty_means: str = ""
