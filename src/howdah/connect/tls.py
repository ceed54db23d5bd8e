"""TLS towards a server, and whether its certificate satisfies the sslmode: what a diagnosis shows.

libpq makes its own connections; this is the same handshake by Python's ssl, which tells more about a refusal.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from howdah.config.tls import VERIFYING, effective_sslmode
from howdah.connect.certificate import Certificate, read_certificate


@dataclass(frozen=True)
class TlsFacts:
    """An encrypted connection as negotiated.

    Attributes:
        version: "TLSv1.3".
        certificate: the server's; None where it cannot be read.
        distrust: why the certificate does not satisfy the sslmode, in words; None where it does.
    """

    version: str
    certificate: Certificate | None
    distrust: str | None = None


def encrypt(
    plain: socket.socket, options: Mapping[str, str], *, host: str, verify: bool
) -> tuple[ssl.SSLSocket, TlsFacts]:
    """The connection, encrypted, and what was agreed on.

    Without `verify`, any certificate will do: to look at one that was refused.

    Raises:
        ssl.SSLError: no agreement; SSLCertVerificationError where the authority did not sign the certificate.
        OSError: a certificate's file cannot be read, or the connection broke.
    """
    context = _context(options, verify=verify)
    encrypted = context.wrap_socket(plain, server_hostname=host or None)
    der = encrypted.getpeercert(binary_form=True)
    certificate = read_certificate(der) if der else None
    distrust = None
    if effective_sslmode(options) == "verify-full" and certificate and not certificate.is_for(host):
        names = ", ".join(certificate.names) or certificate.subject
        distrust = f"the certificate is for {names}, not for {host}"
    return encrypted, TlsFacts(encrypted.version() or "TLS", certificate, distrust)


def explain_distrust(error: ssl.SSLCertVerificationError, certificate: Certificate | None) -> str:
    """Why a certificate was refused, in words that name what to look at."""
    if certificate and certificate.expires < datetime.now(UTC):
        return f"the certificate expired on {certificate.expires:%Y-%m-%d}"
    if certificate and certificate.starts > datetime.now(UTC):
        return f"the certificate is not valid before {certificate.starts:%Y-%m-%d %H:%M} UTC"
    if certificate and certificate.issuer == certificate.subject:
        return "the certificate is signed by itself, not by the authority in sslrootcert"
    signer = f" by {certificate.issuer}" if certificate else ""
    return f"the certificate was signed{signer}, not vouched for by sslrootcert ({error.verify_message})"


def _context(options: Mapping[str, str], *, verify: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # libpq's rules for names are Certificate.is_for
    context.verify_mode = ssl.CERT_NONE
    if options.get("sslnegotiation") == "direct":
        context.set_alpn_protocols(["postgresql"])
    if options.get("sslcert"):
        key = options.get("sslkey")
        context.load_cert_chain(options["sslcert"], key, password=options.get("sslpassword", ""))
    root = _root_certificate(options)
    if verify and root == "system":
        context.load_default_certs()
        context.verify_mode = ssl.CERT_REQUIRED
    elif verify and root:
        context.load_verify_locations(root)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _root_certificate(options: Mapping[str, str]) -> str | None:
    """The authorities to check against: libpq checks in `require` too where it is given some."""
    if effective_sslmode(options) not in ("require", *VERIFYING):
        return None
    named = options.get("sslrootcert")
    if named == "system" or (named and Path(named).exists()):
        return named
    default = Path.home() / ".postgresql" / "root.crt"
    return str(default) if default.exists() else None
