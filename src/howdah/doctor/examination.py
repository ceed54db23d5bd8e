"""What the checks look at: a database's address and project, and what was found out about them so far."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from howdah.config.resolve import Resolved
from howdah.connect.diagnosis import Diagnosis
from howdah.connect.failures import Step
from howdah.connect.probe import AddressProbe, probe
from howdah.connect.session import own_timeout, try_session
from howdah.pg.queries import load_queries

if TYPE_CHECKING:
    import psycopg

    from howdah.connect.pooler import Pooler
    from howdah.provision.steps import SetupPlan

_QUERIES = Path(__file__).with_name("queries.sql")
_LIMIT_SECONDS = 10.0
_PROBE_SECONDS = 5.0

# the check that a failed login belongs to
_CHECK_OF_STEP = {
    Step.CONFIGURATION: "configuration",
    Step.RESOLVE: "name",
    Step.CONNECT: "network",
    Step.TLS: "tls",
    Step.LOGIN: "login",
    Step.SESSION: "database",
}


class Examination:
    """A database under examination; everything is found out when a check first asks, and once."""

    def __init__(self, subject: Resolved) -> None:
        self.subject = subject

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        attempt = self.__dict__.get("attempt")
        if attempt is not None and not isinstance(attempt, Diagnosis):
            attempt.close()

    @cached_property
    def probes(self) -> list[AddressProbe]:
        """How far one gets at each address without a password; empty where only libpq knows the address."""
        limit = min(own_timeout(self.subject.database) or _PROBE_SECONDS, _PROBE_SECONDS)
        return probe(self.subject.database, timeout_seconds=limit)

    @property
    def telling_probe(self) -> AddressProbe | None:
        """The probe that got furthest: of the server that the session is on, as far as one can tell."""
        return max(self.probes, key=_reach, default=None)

    @cached_property
    def attempt(self) -> psycopg.Connection | Diagnosis:
        """A session, or why there is none."""
        self.probes  # noqa: B018 - in this order, a single free slot of the server is free again for the session
        return try_session(
            self.subject.database, application_name="howdah doctor", timeout_seconds=_LIMIT_SECONDS
        )

    @property
    def session(self) -> psycopg.Connection:
        """The session; only for checks that need the login."""
        assert not isinstance(self.attempt, Diagnosis)
        return self.attempt

    def refusal(self, check: str) -> Diagnosis | None:
        """Why there is no session, where that is this check's to tell."""
        if not isinstance(self.attempt, Diagnosis):
            return None
        return self.attempt if _CHECK_OF_STEP[self.attempt.step] == check else None

    @cached_property
    def server(self) -> dict[str, Any]:
        """One row of facts about the server, the database and the role."""
        (row,) = self.rows("server")
        return row

    @cached_property
    def pooler(self) -> Pooler | None:
        """The pooler between us and the server."""
        from howdah.connect.pooler import detect_pooler

        return detect_pooler(self.session, self.subject.database, backend_pid=self.server["backend_pid"])

    @cached_property
    def setup_plan(self) -> SetupPlan:
        """What the project asks for, and what of it is not there."""
        from howdah.provision.apply import read_plan
        from howdah.provision.request import SetupRequest

        return read_plan(SetupRequest(self.subject.settings, self.subject.database))

    def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        """The rows of a query of queries.sql."""
        from psycopg.rows import dict_row

        with self.session.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(load_queries(_QUERIES)[query], values, prepare=False).fetchall()


def _reach(found: AddressProbe) -> tuple[bool, Step]:
    return found.failure is None, max(found.seconds, default=Step.CONFIGURATION)
