"""Encryption: what libpq and OpenSSL say about certificates, and connections that just end."""

from __future__ import annotations

import errno

from howdah.connect.causes.cause import Cause
from howdah.connect.failures import Step

TLS = (
    Cause(
        code="tls-not-offered",
        words="server does not support SSL",
        reported_step=Step.TLS,
        why="The server at {place} has TLS switched off, and sslmode asks for it.",
        fix="Switch TLS on at the server (ssl = on), or, on a network you trust, use sslmode=disable.",
        sslmode="disable",
    ),
    Cause(
        code="tls-no-root-certificate",
        words="root certificate file .* does not exist|could not (read|load) root certificate",
        reported_step=Step.TLS,
        why="This sslmode checks the server's certificate, and there is no authority to check it against.",
        fix="Give the provider's file as sslrootcert, or sslrootcert=system for the authorities of this"
        " machine.",
    ),
    Cause(
        code="tls-wrong-host",
        words="does not match host name|could not get server's host name from server certificate",
        reported_step=Step.TLS,
        why="The server's certificate is for another name than the one that was connected to.",
        fix="Connect by the name in the certificate, or use sslmode=verify-ca if the address must stay.",
    ),
    Cause(
        code="tls-untrusted",
        words="certificate verify failed|self.signed certificate",
        reported_step=Step.TLS,
        why="The server's certificate was not signed by the authority in sslrootcert, or is out of date.",
        fix="Give the authority that signed it as sslrootcert; if it has expired, renew it on the server.",
    ),
    Cause(
        code="tls-client-certificate",
        words="alert (unknown ca|bad certificate|certificate required|certificate expired|handshake failure)|"
        "(certificate|private key) file .*(does not exist|permissions|has group|must be owned)|"
        "certificate present, but not private key|could not (read|load) (certificate|private key)",
        reported_step=Step.TLS,
        why="The client certificate is missing, unreadable, or not one that the server accepts.",
        fix="Check sslcert and sslkey: the files exist, belong together, and the key is readable by you"
        " alone.",
    ),
    Cause(
        code="connection-closed",
        words="closed the connection unexpectedly|unexpected eof|EOF detected|SSL connection has been closed",
        transient=True,
        why="{place} accepted the connection and closed it without a word: a proxy or load balancer with no"
        " server behind it, a server that crashed, or one that speaks another protocol.",
        fix="Look at the server's and the proxy's logs for this moment.",
    ),
    Cause(
        code="connection-closed",
        errnos=(errno.ECONNRESET, errno.EPIPE),
        transient=True,
        why="{place} accepted the connection and cut it off: a proxy or load balancer with no server behind"
        " it, or a server that crashed.",
        fix="Look at the server's and the proxy's logs for this moment.",
    ),
    Cause(
        code="tls-failed",
        words="SSL error|SSL SYSCALL error|could not (establish|initialize) SSL",
        reported_step=Step.TLS,
        why="The two sides could not agree on an encrypted connection.",
        fix="Compare ssl_min_protocol_version and the certificates of both sides.",
    ),
)
