"""From failures to one explanation: the cause, in words about this very database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from howdah.config.database import DatabaseConfig
from howdah.connect.addresses import is_local
from howdah.connect.causes import find_cause
from howdah.connect.causes.cause import Cause
from howdah.connect.failures import Failure, Step, with_sqlstate
from howdah.errors import ConnectError

_BEFORE_AT = re.compile(r".+@")


@dataclass(frozen=True)
class Diagnosis:
    """Why no session could be opened, and what to do.

    Attributes:
        cause: the row of the table.
        step: the step that failed.
        message: what happened, to which database.
        stage: the same without the database: the step, and what was said.
        failures: all attempts, the telling one first.
    """

    cause: Cause
    step: Step
    message: str
    stage: str
    why: str
    fix: str
    next: tuple[str, ...]
    failures: tuple[Failure, ...]

    @property
    def sqlstate(self) -> str | None:
        """The SQLSTATE of the telling failure."""
        return self.failures[0].sqlstate

    def as_error(self) -> ConnectError:
        """The same as an exception to raise."""
        return ConnectError(
            self.message,
            sqlstate=self.sqlstate,
            code=self.cause.code,
            why=self.why,
            fix=self.fix,
            next=self.next,
        )


def diagnose(config: DatabaseConfig, failures: Sequence[Failure]) -> Diagnosis:
    """The explanation of one or more failed attempts at the same database.

    The attempt that got furthest speaks: where ::1 refuses and 127.0.0.1 does not like the password, it is
    the password. Between equals the first does, unless it only says that plain sessions are not wanted.
    """
    judged = [(failure, find_cause(failure)) for failure in failures]
    judged.sort(key=lambda pair: (-_step(*pair), pair[1].code == "no-hba-entry"))
    failure, cause = judged[0]
    step = _step(failure, cause)
    place = failure.place or "the default host"
    host = failure.place.rpartition(":")[0] or failure.place
    words = {
        "place": place,
        "host": host or place,
        "user": config.user or "this user",
        "database": config.database or "of that name",
    }
    on_this_machine = is_local(host or "localhost")
    commands = cause.local_next if on_this_machine and cause.local_next else cause.next
    stage = _stage(step, [failure for failure, _ in judged])
    return Diagnosis(
        cause=cause,
        step=step,
        message=f"cannot connect to {shown_target(config)}: {stage}",
        stage=stage,
        why=" ".join(filter(None, [cause.why.format(**words), _from_server(failure)])),
        fix=cause.fix.format(**words),
        next=tuple(command.format(**words) for command in commands),
        failures=tuple(failure for failure, _ in judged),
    )


def shown_target(config: DatabaseConfig) -> str:
    """The database for people; what stands before an @ in a host may be of a password, and is masked."""
    hosts = [
        host if host.startswith("@") else _BEFORE_AT.sub("***@", host) for host in config.host.split(",")
    ]
    return replace(config, host=",".join(hosts)).target


def _step(failure: Failure, cause: Cause) -> Step:
    return cause.reported_step or failure.step


def _stage(step: Step, failures: Sequence[Failure]) -> str:
    """What happened where; every address has its say, and equal words are said once."""
    places: dict[str, list[str]] = {}
    for failure in failures:
        heard = places.setdefault(with_sqlstate(failure.message.splitlines()[0], failure.sqlstate), [])
        if failure.place not in heard:
            heard.append(failure.place)
    if len(places) == 1:
        said = next(iter(places))
    else:
        said = "; ".join(f"{', '.join(heard)}: {text}" for text, heard in places.items())
    return said if step is Step.CONFIGURATION else f"{step.label} failed: {said}"


def _from_server(failure: Failure) -> str | None:
    """The server's own DETAIL and HINT; libpq's second lines only repeat what the table says."""
    if failure.sqlstate is None:
        return None
    return " ".join(filter(None, [failure.detail, failure.hint])) or None
