"""Certificates, good and bad, and a server that has TLS switched on."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fix_gate import Gate, running_gate
from fix_server import available_programs, reachable_directory
from howdah.pg.programs import Programs, server_account

_NOW = dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own."""

    name: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, name: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        certificate = (
            _builder(subject, subject, key, days=3650)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(name, certificate, key)

    def issue(
        self, subject: str, names: Sequence[str] = (), *, days: float = 90
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """A certificate for host names and addresses; one of negative days has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(subject), self.certificate.subject, key, days=days)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alt(each) for each in names]), critical=False
            )
        return builder.sign(self.key, hashes.SHA256()), key


@dataclass(frozen=True)
class Keys:
    """Files of certificates and keys in one directory."""

    directory: Path

    def file(self, name: str) -> str:
        return str(self.directory / name)

    def write(
        self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey | None = None
    ) -> None:
        pem = serialization.Encoding.PEM
        (self.directory / f"{name}.crt").write_bytes(certificate.public_bytes(pem))
        if key is None:
            return
        path = self.directory / f"{name}.key"
        path.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        path.chmod(0o600)


def make_keys(directory: Path) -> Keys:
    """ca, stranger (another authority); server, expired, elsewhere (other names); client."""
    keys = Keys(directory)
    authority, stranger = Authority.make("howdah test authority"), Authority.make("a stranger")
    keys.write("ca", authority.certificate)
    keys.write("stranger", stranger.certificate)
    keys.write("server", *authority.issue("localhost", ["localhost", "127.0.0.1"]))
    keys.write("expired", *authority.issue("localhost", ["localhost"], days=-1))
    keys.write("client", *authority.issue("certified"))
    keys.write("impostor", *stranger.issue("certified"))
    return keys


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: float
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOW - dt.timedelta(days=30))
        .not_valid_after(_NOW + dt.timedelta(days=days))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alt(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture(scope="session")
def keys() -> Iterator[Keys]:
    """All certificates and keys; the server may read its own."""
    directory = reachable_directory()
    made = make_keys(directory)
    account = server_account()
    if account:
        for name in ("server.key", "expired.key"):
            os.chown(directory / name, account.uid, account.gid)
    yield made
    shutil.rmtree(directory)


def tls_programs() -> Programs:
    """The newest PostgreSQL here that was built with TLS."""
    for _, programs in sorted(available_programs().items(), reverse=True):
        if programs.has("pg_config") and "ssl" in programs.run("pg_config", "--configure"):
            return programs
    reason = "no PostgreSQL with TLS here; install your system's package postgresql"
    if os.environ.get("CI") == "true" or os.environ.get("HOWDAH_REQUIRE_TOOLS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def tls_gate(keys: Keys) -> Iterator[Gate]:
    """A gate (fix_gate.py) whose server takes encrypted connections."""
    settings = {
        "ssl": "on",
        "ssl_cert_file": keys.file("server.crt"),
        "ssl_key_file": keys.file("server.key"),
    }
    with running_gate(tls_programs(), settings={**settings, "ssl_ca_file": keys.file("ca.crt")}) as gate:
        yield gate


@pytest.fixture(scope="session")
def expired_gate(keys: Keys) -> Iterator[Gate]:
    """One whose certificate has expired, that knows no authority for its clients, and no TLS 1.3."""
    settings = {
        "ssl": "on",
        "ssl_cert_file": keys.file("expired.crt"),
        "ssl_key_file": keys.file("expired.key"),
        "ssl_max_protocol_version": "TLSv1.2",
    }
    with running_gate(tls_programs(), settings=settings) as gate:
        yield gate
