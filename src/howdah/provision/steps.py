"""A setup plan: steps, each already there, to do, or blocked by something a person must change."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from howdah.config.database import DatabaseConfig, Secret
from howdah.findings import Finding, Severity
from howdah.provision.changes import Change, GrantRole
from howdah.provision.evolve import evolve
from howdah.provision.facts import Facts
from howdah.provision.rights import may_grant_role

Right = Callable[[Facts, str, str], bool]  # of rights.py: whether a role may act for another


class Status(Enum):
    """What a step finds."""

    THERE = "already-there"
    CREATE = "will-create"
    CHANGE = "will-change"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Blocked:
    """Why a step cannot be done by us, who can, and the exact statement to give them.

    `statement` is None where no statement helps (a package to install on the server's host).
    """

    code: str
    why: str
    fix: str
    statement: str | None = None


@dataclass(frozen=True)
class Step:
    """One thing that must be there, and what it takes."""

    change: Change
    status: Status
    note: str = ""
    blocked: Blocked | None = None

    @property
    def is_pending(self) -> bool:
        """It is for us to do."""
        return self.status in (Status.CREATE, Status.CHANGE)

    @property
    def finding(self) -> Finding:
        """A blocked step as something to tell: why, and the statement a DBA must run."""
        if self.blocked is None:
            raise ValueError(f"{self.change.subject} is not blocked")
        statement = self.blocked.statement
        return Finding(
            code=self.blocked.code,
            message=f"not set up: {self.change.what} {self.change.subject}",
            severity=Severity.WARNING,
            why=self.blocked.why,
            fix=f"{self.blocked.fix}\n{statement};" if statement else self.blocked.fix,
        )


@dataclass(frozen=True)
class SetupPlan:
    """What it takes to set up one database, in order.

    Attributes:
        target: the database as its application reaches it.
        user: the role that acts.
        server: what the server is, for people: `PostgreSQL 16 on Amazon RDS`.
    """

    target: DatabaseConfig
    user: str
    server: str
    steps: tuple[Step, ...] = ()

    @property
    def pending(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.is_pending)

    @property
    def blocked(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.status is Status.BLOCKED)


@dataclass(frozen=True)
class Policy:
    """How to plan.

    Attributes:
        passwords: role -> its password, where known.
        set_passwords: set them where they cannot be compared.
        guarded: the database is protected and nobody confirmed: nothing may be taken away from anybody.
        own_login: the session is the application's own, so its password is right.
    """

    passwords: Mapping[str, Secret] = field(default_factory=dict)
    set_passwords: bool = False
    guarded: bool = False
    own_login: bool = False


def there(change: Change, note: str = "") -> Step:
    """A step for what is there."""
    return Step(change, Status.THERE, note)


def blocked(change: Change, *, code: str, why: str, fix: str, statement: str | None = None) -> Step:
    """A step that somebody else must do."""
    return Step(change, Status.BLOCKED, blocked=Blocked(code, why, fix, statement))


def forbidden(change: Change, facts: Facts, *, missing: str, who: str) -> Step:
    """A step that the acting role may not do, and its statement for those who may."""
    return blocked(
        change,
        code="missing-privilege",
        why=f"Role {facts.user} lacks {missing}.",
        fix=f"Connect as {who} with --admin-url, or let one run:",
        statement=statement_text(change),
    )


def missing_role(change: Change, role: str) -> Step:
    """A step that waits for a role."""
    return blocked(
        change,
        code="missing-role",
        why=f"Role {role} is not there.",
        fix=f"Create role {role} first, or name it in [database.NAME.setup.role.ROLE]; then run setup again.",
    )


def acting_for(facts: Facts, *owners: tuple[str, Right]) -> list[Step] | None:
    """The steps that let us act for owners: none, memberships, or None where one cannot be had."""
    joins: list[Step] = []
    for owner, may in owners:
        if may(facts, facts.user, owner):
            continue
        join = GrantRole(owner, facts.user, assists=True)
        if not may_grant_role(facts, facts.user, owner):
            return None
        facts = evolve(join, facts)
        if not may(facts, facts.user, owner):  # a role that inherits nothing
            return None
        joins.append(Step(join, Status.CREATE))
    return joins


def password_variable(role: str) -> str:
    """The psql variable that stands for a role's password: letters, digits and underscores only."""
    return re.sub(r"[^a-z0-9_]", "_", role.lower()) + "_password"


def statement_text(change: Change) -> str:
    """The statement for people and psql, with a psql variable where a password stands."""
    role = change.wants_password
    return change.sql if role is None else f"{change.sql} PASSWORD :'{password_variable(role)}'"
