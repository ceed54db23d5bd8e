"""The way to the server: names, routes, sockets, and what listens there."""

from __future__ import annotations

import errno
import socket

from howdah.connect.causes.cause import Cause
from howdah.connect.failures import Step

_START = ("howdah dev up",)

NETWORK = (
    Cause(
        code="unescaped-password",
        step=Step.RESOLVE,
        place="@",
        why="The host holds an @: most likely the password has one that is not written as %40 in the URL, and"
        " the rest of the password was read as the host.",
        fix="Write @ as %40 in the URL's password, or give the password in a variable of its own.",
    ),
    Cause(
        code="host-not-found",
        step=Step.RESOLVE,
        errnos=tuple({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", -5), socket.EAI_FAMILY}),
        why="No name server knows {host}.",
        fix="Correct the host's name; inside containers, use the service's name and the same network.",
    ),
    Cause(
        code="resolver-unavailable",
        step=Step.RESOLVE,
        transient=True,
        why="The name server did not answer, so nobody knows where {host} is.",
        fix="Check this machine's network and its resolver (/etc/resolv.conf), or wait.",
    ),
    Cause(
        code="connection-refused",
        errnos=(errno.ECONNREFUSED,),
        transient=True,
        why="Nothing listens at {place}, or a firewall refuses for it.",
        fix="Start the server, or correct the host and the port.",
        local_next=_START,
    ),
    Cause(
        code="socket-missing",
        errnos=(errno.ENOENT,),
        step=Step.CONNECT,
        transient=True,
        why="The server is not running, or its socket is in another directory or has another port's name.",
        fix="Start the server, or give the directory of its unix_socket_directories as the host, and its"
        " port.",
        local_next=_START,
    ),
    Cause(
        code="socket-forbidden",
        errnos=(errno.EACCES,),
        step=Step.CONNECT,
        why="This system user may not open the socket or the directory it is in.",
        fix="Connect through TCP (host 127.0.0.1), or have unix_socket_permissions changed.",
    ),
    Cause(
        code="host-unreachable",
        errnos=(errno.ENETUNREACH, errno.EHOSTUNREACH),
        transient=True,
        why="This machine has no route to {host}.",
        fix="Check the network: VPN, container network, or an IPv6 address on a machine without IPv6.",
    ),
    Cause(
        code="connection-timeout",
        errnos=(errno.ETIMEDOUT,),
        step=Step.CONNECT,
        transient=True,
        why="No answer at all came from {place}: packets are dropped on the way, as firewalls and security"
        " groups do, or the machine is down.",
        fix="Allow this machine in the firewall or security group, or correct the address.",
    ),
    Cause(
        code="server-silent",
        errnos=(errno.ETIMEDOUT,),
        transient=True,
        why="{place} accepts connections and then says nothing: a proxy without a server behind it, another"
        " kind of program, or a server that is overloaded.",
        fix="Look at what listens there; behind a proxy or pooler, look at the server itself.",
    ),
    Cause(
        code="not-postgresql",
        words="expected PostgreSQL's answer|received invalid response to|insufficient data|no terminator|"
        "expected authentication request from server|invalid authentication request|"
        "received invalid protocol|message contents do not agree",
        why="Something else than PostgreSQL listens at {place}, such as a web server.",
        fix="Correct the port: PostgreSQL's own is 5432.",
    ),
)
