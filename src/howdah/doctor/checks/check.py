"""What a check is."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

from howdah.config.resolve import Resolved
from howdah.config.url import format_url
from howdah.connect.diagnosis import Diagnosis
from howdah.connect.failures import Step, with_sqlstate
from howdah.doctor.examination import Examination
from howdah.findings import Finding


@dataclass(frozen=True)
class Outcome:
    """What a check has to say: one line, and what there is to do about; `next` is to type where all is well."""

    summary: str
    findings: tuple[Finding, ...] = ()
    next: str = ""


@dataclass(frozen=True)
class Check:
    """One step of the examination. It is not run where a check it `needs` found an error."""

    name: str
    run: Callable[[Examination], Outcome]
    needs: tuple[str, ...] = ()


def refused(examination: Examination, diagnosis: Diagnosis, *, why: str | None = None) -> Outcome:
    """The outcome of the check at which the session was refused. `why` adds what the probe found out."""
    failure = diagnosis.failures[0]
    place = f"{failure.place}: " if failure.step is Step.CONNECT else ""
    finding = Finding(
        code=diagnosis.cause.code,
        message=diagnosis.stage,
        why=" ".join(filter(None, [diagnosis.why, why])),
        fix=diagnosis.fix,
        next=_next(examination.subject, diagnosis),
    )
    return Outcome(place + with_sqlstate(failure.message, failure.sqlstate), (finding,))


def _next(subject: Resolved, diagnosis: Diagnosis) -> tuple[str, ...]:
    if diagnosis.cause.sslmode:
        return (_with_sslmode(subject, diagnosis.cause.sslmode),)
    if diagnosis.next:
        return diagnosis.next
    return ("howdah doctor --wait 60",) if diagnosis.cause.transient else ()


def _with_sslmode(subject: Resolved, mode: str) -> str:
    """Look again with another sslmode, given where the present one came from."""
    origin = subject.database.origin.get("sslmode", "").partition(" ")[0]
    if origin.isupper() and origin.isidentifier() and not origin.endswith("URL"):
        return f"{origin}={mode} howdah doctor"
    if "sslmode" in subject.settings.env and subject.source != "--url":
        return f"{subject.settings.env['sslmode']}={mode} howdah doctor"
    options = {**subject.database.options, "sslmode": mode}
    return f"howdah doctor --url {shlex.quote(format_url(replace(subject.database, options=options)))}"
