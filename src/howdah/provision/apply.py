"""Run a setup: plan, do the steps that are ours, read again; say exactly what is there and what is not."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from howdah.connect.failures import server_said
from howdah.errors import ConnectError, ProvisionError
from howdah.findings import Finding
from howdah.pg.identifiers import quote_literal
from howdah.provision.changes import Change, CreateDatabase, On
from howdah.provision.facts import Facts
from howdah.provision.failures import explain, is_race, not_effective, not_run
from howdah.provision.plan import plan_setup, unknown_server, wanted_extensions, wanted_schemas
from howdah.provision.read import read_facts
from howdah.provision.request import SetupRequest
from howdah.provision.script import as_superuser, write_script
from howdah.provision.sessions import Sessions
from howdah.provision.steps import Policy, SetupPlan, Status, Step

_log = logging.getLogger(__name__)

_RETRIES = 20  # of one step that races with another run


@dataclass(frozen=True)
class SetupResult:
    """What a run found and did: every step is in exactly one of the four.

    `failed` holds the steps the server refused, each with the finding that says why; `blocked` the ones that
    somebody else must do.
    """

    plan: SetupPlan
    done: tuple[Step, ...] = ()
    there: tuple[Step, ...] = ()
    blocked: tuple[Step, ...] = ()
    failed: tuple[tuple[Step, Finding], ...] = ()

    @property
    def is_complete(self) -> bool:
        return not self.blocked and not self.failed

    @property
    def problems(self) -> tuple[Finding, ...]:
        return (*(finding for _, finding in self.failed), *(step.finding for step in self.blocked))


class SetupIncomplete(ProvisionError):
    """Something is still not there; `result` says what is done and what is not. Run again to go on."""

    code = "setup-incomplete"

    def __init__(self, message: str, *, result: SetupResult, **details: str) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.result = result


def read_plan(request: SetupRequest) -> SetupPlan:
    """The plan for a server as it is now; nothing is changed.

    Raises:
        ConnectError: the server cannot be reached or refuses the login.
        RefusedError: the server is a replica or read only.
        ConfigError: a name or a grant in the settings cannot be meant.
    """
    with _sessions(request) as sessions:
        return _plan(request, sessions)


def read_script(request: SetupRequest) -> str:
    """The psql script by which a superuser does all that is left. Raises what `read_plan` raises."""
    with _sessions(request) as sessions:
        facts = as_superuser(_facts(request, sessions))
        policy = request.policy(own_login=sessions.is_own_login)
    return _script(request, facts, policy)


def blind_script(request: SetupRequest) -> str:
    """The same where the server cannot be asked: for a server that has nothing yet; it may have, all the same."""
    return _script(request, unknown_server(request.settings), request.policy())


def _script(request: SetupRequest, facts: Facts, policy: Policy) -> str:
    plan = plan_setup(request.settings, request.address, facts, policy=policy)
    return write_script(plan, request.settings.setup)


def apply_setup(request: SetupRequest, *, on_step: Callable[[Step], None] | None = None) -> SetupResult:
    """Bring about what the project wants. May run again at any time, and beside another run.

    Each step takes effect by itself; what is there is left alone. `on_step` is called after each step done.

    Raises:
        SetupIncomplete: steps failed or are somebody else's to do; all others are done.
        ConnectError, RefusedError, ConfigError: as `read_plan`; nothing was changed.
    """
    with _sessions(request) as sessions:
        result = _Run(request, sessions, on_step).run()
    if result.is_complete:
        return result
    left = [*(step for step, _ in result.failed), *result.blocked]
    things = ", ".join(f"{step.change.what} {step.change.subject}" for step in left[:3])
    raise SetupIncomplete(
        f"{len(left)} of {len(left) + len(result.done) + len(result.there)} steps are not done: {things}"
        + ("" if len(left) <= 3 else ", ..."),
        result=result,
        why=f"{len(result.done)} were done now, {len(result.there)} were there before; run again to go on.",
    )


def _sessions(request: SetupRequest) -> Sessions:
    return Sessions(request.address.with_database(request.database), request.admin)


def _facts(request: SetupRequest, sessions: Sessions) -> Facts:
    facts = _read(request, sessions)
    if facts.database and sessions.inside is None and sessions.closed is None:
        sessions.enter()  # it was made since, by us or by a run beside us
        facts = _read(request, sessions)
    return facts


def _read(request: SetupRequest, sessions: Sessions) -> Facts:
    try:
        return _ask(request, sessions)
    except psycopg.Error as error:
        raise ProvisionError(f"cannot read what is there: {server_said(error)}") from error


def _ask(request: SetupRequest, sessions: Sessions) -> Facts:
    settings = request.settings
    roles = {role.name for role in settings.setup.roles} | {request.address.user, settings.setup.owner or ""}
    return read_facts(
        sessions,
        database=request.database,
        extensions=wanted_extensions(settings),
        schemas=wanted_schemas(settings),
        grantees=sorted(roles | {grant.to for grant in settings.setup.grants}),
    )


def _plan(request: SetupRequest, sessions: Sessions) -> SetupPlan:
    facts = _facts(request, sessions)
    policy = request.policy(own_login=sessions.is_own_login)
    return plan_setup(request.settings, request.address, facts, policy=policy)


class _Run:
    """One run: steps are taken from a fresh plan until none is left that is ours and untried."""

    def __init__(
        self, request: SetupRequest, sessions: Sessions, on_step: Callable[[Step], None] | None
    ) -> None:
        self._request = request
        self._sessions = sessions
        self._on_step = on_step
        self._done: dict[Change, Step] = {}
        self._failed: dict[Change, tuple[Step, Finding]] = {}
        self._races: Counter[Change] = Counter()
        self._lost: Finding | None = None  # why the server could no longer be asked

    def run(self) -> SetupResult:
        first = plan = _plan(self._request, self._sessions)
        while todo := self._left(plan):
            self._take(todo)
            if self._must_stop():
                break
            try:
                plan = _plan(self._request, self._sessions)
            except (ConnectError, ProvisionError) as error:
                self._lost = Finding.of(error)
                break
        return self._result(first, plan)

    def _left(self, plan: SetupPlan) -> list[Step]:
        return [s for s in plan.pending if s.change not in self._failed and s.change not in self._done]

    def _must_stop(self) -> bool:
        """After a failure beside the database, what builds on it would only fail as well."""
        return self._sessions.server.closed or any(change.on is On.SERVER for change in self._failed)

    def _take(self, todo: list[Step]) -> None:
        """Do the steps, up to the first failure or to where the facts must be read again."""
        for step in todo:
            if step.change.on is On.DATABASE and self._sessions.inside is None:
                return
            try:
                self._execute(step.change)
            except psycopg.Error as error:
                self._note(step, error)
                return
            self._done[step.change] = step
            if self._on_step:
                self._on_step(step)

    def _note(self, step: Step, error: psycopg.Error) -> None:
        change = step.change
        if not is_race(error) or self._races[change] >= _RETRIES:
            self._failed[change] = (step, explain(step, error))
            return
        _log.debug("%s %s: reading again after %s", change.what, change.subject, error)
        self._races[change] += 1
        time.sleep(random.uniform(0.01, 0.05) * min(self._races[change], 10))

    def _execute(self, change: Change) -> None:
        session = self._sessions.server
        statement = change.sql
        if change.wants_password:
            statement += f" PASSWORD {self._verifier(session, change.wants_password)}"
        if isinstance(change, CreateDatabase):  # not allowed in a transaction
            session.execute(statement.encode())
            return
        with session.transaction():
            session.execute("SET LOCAL lock_timeout = '10s'")
            session.execute(statement.encode())

    def _verifier(self, session: psycopg.Connection, role: str) -> str:
        """What the server stores, computed here: the password itself is in no statement, so in no log."""
        password = self._request.passwords[role].reveal()
        verifier = session.pgconn.encrypt_password(password.encode(), role.encode())
        return quote_literal(verifier.decode())

    def _result(self, first: SetupPlan, last: SetupPlan) -> SetupResult:
        failed = [*self._failed.values(), *((step, not_run(step)) for step in self._left(last))]
        if self._lost:
            failed = [(step, self._lost) for step, _ in failed[:1]] + failed[1:]
        elif not self._must_stop():
            # an unreadable password is planned as often as it is asked for
            again = [s for s in last.pending if s.change in self._done and not s.change.wants_password]
            failed += [(step, not_effective(step)) for step in again]
        return SetupResult(
            plan=last,
            done=tuple(self._done.values()),
            there=tuple(step for step in first.steps if step.status is Status.THERE),
            blocked=last.blocked,
            failed=tuple(failed),
        )
