"""How each database of a project stands: read several at a time, nothing changed, nothing locked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from howdah.config.database import DatabaseConfig
from howdah.config.project import Project
from howdah.connect.known import as_howdah_error
from howdah.errors import ConfigError, ConnectError, HowdahError
from howdah.findings import Finding, Severity
from howdah.fleet.crew import in_threads
from howdah.fleet.inventory import Found, address_of, find_addresses, make_migrator
from howdah.migrate.standing import State
from howdah.migrate.status import Status

STATUS_PARALLEL = 8
"""How many databases are read at a time: a read costs the server two round trips."""


class Condition(Enum):
    """How a database stands, in a word."""

    OK = "ok"
    PENDING = "pending"
    AHEAD = "ahead"
    NO_MIGRATIONS = "no migrations"
    WRONG = "wrong"
    DIRTY = "dirty"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class DatabaseStatus:
    """One database.

    Attributes:
        name: as in howdah.toml.
        target: its address; None where nothing says it.
        format: whose files and history they are; "" where there are no migrations.
        status: its migrations and their history; None where there are none, or they could not be read.
        notes: what is to say of its address.
        error: why it could not be read.
    """

    name: str
    target: DatabaseConfig | None = None
    format: str = ""
    status: Status | None = None
    notes: tuple[Finding, ...] = ()
    error: HowdahError | None = None

    @property
    def condition(self) -> Condition:
        """The gravest that is to say."""
        if self.error is not None:
            is_away = isinstance(self.error, ConnectError)
            return Condition.UNREACHABLE if is_away else Condition.UNREADABLE
        if self.status is None:
            return Condition.NO_MIGRATIONS
        codes = {finding.code for finding in self.status.findings}
        if self.status.history.dirty:
            return Condition.DIRTY
        if any(finding.severity is Severity.ERROR for finding in self.status.findings):
            return Condition.WRONG
        if self.status.pending:
            return Condition.PENDING
        return Condition.AHEAD if "database-ahead" in codes else Condition.OK

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is to say of it, the error that stopped the reading last."""
        found = self.status.findings if self.status else ()
        return (*self.notes, *found, *((Finding.of(self.error),) if self.error else ()))

    @property
    def server(self) -> str:
        """The server's version as a number, "18.1"; "" where it was not asked."""
        return self.status.server.split(" ")[0] if self.status else ""

    @property
    def version(self) -> str | None:
        """The version that was applied last; None where nothing is, or nobody knows."""
        return self.status.history.version if self.status else None

    @property
    def applied(self) -> int | None:
        """How many of the files are applied; None where nobody knows."""
        return sum(entry.state is State.APPLIED for entry in self.status.entries) if self.status else None

    @property
    def pending(self) -> int | None:
        """How many migrations `up` would run; None where nobody knows."""
        return len(self.status.pending) if self.status else None


def read_statuses(
    project: Project,
    *,
    parallel: int = STATUS_PARALLEL,
    on_event: Callable[[DatabaseStatus], None] = lambda _: None,
) -> tuple[DatabaseStatus, ...]:
    """The status of each database of the project, in its order; what is wrong with one hides none of the others.

    `on_event` is called with each as it is known, by one thread at a time.

    Raises:
        ConfigError: nothing says where any of them is.
    """
    return read_found(find_addresses(project), parallel=parallel, on_event=on_event)


def read_found(
    found: Mapping[str, Found],
    *,
    parallel: int = STATUS_PARALLEL,
    on_event: Callable[[DatabaseStatus], None] = lambda _: None,
) -> tuple[DatabaseStatus, ...]:
    """The status of each of these databases; otherwise as `read_statuses`."""
    telling = threading.Lock()

    def read(name: str) -> DatabaseStatus:
        status = _read(name, found[name])
        with telling:
            on_event(status)
        return status

    return tuple(in_threads(read, found, size=parallel))


def _read(name: str, found: Found) -> DatabaseStatus:
    notes = () if isinstance(found, ConfigError) else found.notes
    blank = DatabaseStatus(name, address_of(found), notes=notes)
    try:
        migrator = make_migrator(found)
        if migrator is None:
            return blank
        blank = replace(blank, format=migrator.format)
        return replace(blank, status=migrator.status())
    except Exception as error:
        known = as_howdah_error(error)
        if known is None:
            raise
        return replace(blank, error=known)
