"""Whether the connection is encrypted, with what certificate, and whether that is checked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from howdah.config.tls import VERIFYING, effective_sslmode
from howdah.connect.addresses import is_local
from howdah.connect.probe import AddressProbe
from howdah.connect.tls import TlsFacts
from howdah.doctor.checks.check import Outcome, refused
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity

_SOON = timedelta(days=14)


def check(examination: Examination) -> Outcome:
    """What was agreed on; a connection that leaves this machine unencrypted is worth a warning."""
    found = examination.telling_probe
    facts = found.tls if found else None
    if diagnosis := examination.refusal("tls"):
        return refused(
            examination, diagnosis, why=_as_sentence(facts.distrust) if facts and facts.distrust else None
        )
    if found is None:
        return Outcome("left to libpq's defaults")
    if found.address.is_socket:
        return Outcome("none: the socket does not leave this machine")
    mode = effective_sslmode(examination.subject.database.options)
    if facts is None:
        return _plain(found, mode)
    return _encrypted(found, facts, mode)


def _plain(found: AddressProbe, mode: str) -> Outcome:
    summary = f"none: sslmode={mode}" if found.tls_offered is None else "none: the server does not offer it"
    if is_local(found.address.host or found.address.hostaddr):
        return Outcome(summary)
    finding = Finding(
        code="plain-connection",
        message=f"the connection to {found.address.place} is not encrypted",
        severity=Severity.WARNING,
        why="Whoever can see the network can read the data.",
        fix="Use sslmode=require, or better verify-full with the provider's certificate as sslrootcert.",
    )
    return Outcome(summary, (finding,))


def _encrypted(found: AddressProbe, facts: TlsFacts, mode: str) -> Outcome:
    certificate = facts.certificate
    if certificate is None:
        return Outcome(facts.version)
    findings = []
    left = certificate.expires - datetime.now(UTC)
    if left < _SOON:
        findings.append(
            Finding(
                code="certificate-expires",
                message=f"the certificate of {found.address.place} ends on {certificate.expires:%Y-%m-%d}",
                severity=Severity.WARNING,
                why="From then on, connections with sslmode=verify-ca or verify-full fail.",
                fix="Renew it on the server.",
            )
        )
    if mode not in VERIFYING and not is_local(found.address.host):
        findings.append(
            Finding(
                code="certificate-not-checked",
                message=f"sslmode={mode} does not check whose certificate it is",
                severity=Severity.INFO,
                why="Whoever can redirect the connection can pose as the server.",
                fix="Use sslmode=verify-full with the provider's certificate as sslrootcert.",
            )
        )
    summary = (
        f"{facts.version}, certificate of {certificate.subject} by {certificate.issuer}"
        f" until {certificate.expires:%Y-%m-%d}"
    )
    return Outcome(summary, tuple(findings))


def _as_sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
