"""The state of the server, the database and the session."""

from __future__ import annotations

from howdah.connect.causes.cause import Cause
from howdah.connect.failures import Step

_SLOTS = "Close idle sessions, make the pools smaller, or put a pooler in front."

SERVER = (
    Cause(
        code="unknown-database",
        reported_step=Step.SESSION,
        sqlstate="3D000",
        why="The server let {user} in and has no database {database}; names are case-sensitive here.",
        fix="Create the database, or correct its name.",
        next=("howdah setup apply",),
    ),
    Cause(
        code="no-connect-privilege",
        reported_step=Step.SESSION,
        sqlstate="42501",
        routine="CheckMyDatabase",
        why="{user} has no CONNECT privilege on {database}.",
        fix="Have the owner or a superuser grant it: GRANT CONNECT ON DATABASE ... TO ....",
        next=("howdah setup plan --sql",),
    ),
    Cause(
        code="invalid-database",
        reported_step=Step.SESSION,
        sqlstate="55000",
        words="invalid database",
        why="A DROP DATABASE of {database} was interrupted; what is left cannot be used.",
        fix="Drop it again from another database, and create it anew.",
    ),
    Cause(
        code="database-not-accepting",
        reported_step=Step.SESSION,
        sqlstate="55000",
        why="{database} was closed to connections with ALLOW_CONNECTIONS false.",
        fix="A superuser opens it again: ALTER DATABASE ... ALLOW_CONNECTIONS true.",
    ),
    Cause(
        code="role-connection-limit",
        sqlstate="53300",
        routine="InitializeSessionUserId",
        transient=True,
        why="{user} has as many sessions as its CONNECTION LIMIT allows.",
        fix="Close sessions of this role, or raise the limit: ALTER ROLE ... CONNECTION LIMIT.",
    ),
    Cause(
        code="database-connection-limit",
        reported_step=Step.SESSION,
        sqlstate="53300",
        routine="CheckMyDatabase",
        transient=True,
        why="{database} has as many sessions as its CONNECTION LIMIT allows.",
        fix="Close sessions, or raise the limit: ALTER DATABASE ... CONNECTION LIMIT.",
    ),
    Cause(
        code="reserved-slots",
        sqlstate="53300",
        routine="InitPostgres",
        transient=True,
        why="All sessions an ordinary role may have are taken; the rest are kept for superusers.",
        fix=_SLOTS,
    ),
    Cause(
        code="too-many-connections",
        sqlstate="53300",
        transient=True,
        why="The server has max_connections sessions, those kept for superusers included.",
        fix=_SLOTS,
    ),
    Cause(
        code="recovery-mode",
        sqlstate="57P03",
        words="recovery mode",
        transient=True,
        why="A server process crashed; the server is replaying its log before it takes sessions again.",
        fix="Wait, then look in the server's log for the process that was terminated.",
    ),
    Cause(
        code="shutting-down",
        sqlstate="57P03",
        words="shutting down",
        transient=True,
        why="The server is being stopped or restarted.",
        fix="Wait for it, or start it.",
    ),
    Cause(
        code="starting-up",
        sqlstate="57P03",
        transient=True,
        why="The server is starting and does not take sessions yet.",
        fix="Wait; a long start is crash recovery or a replica that catches up, and the server's log tells.",
    ),
    Cause(
        code="terminated",
        sqlstate="57P",
        transient=True,
        why="The server ended the session while it was being opened, as in a restart.",
        fix="Try again; if it goes on, read the server's log.",
    ),
    Cause(
        code="target-session-attrs",
        words="server is (not )?in hot standby mode|session is (not )?read-only",
        reported_step=Step.SESSION,
        transient=True,
        why="No server of the address has the role that target_session_attrs asks for, as while a failover"
        " runs.",
        fix="Wait for the failover, or correct the hosts or target_session_attrs.",
    ),
    Cause(
        code="option-not-permitted",
        sqlstate="42501",
        why="The address sets a parameter (options=...) that {user} may not set.",
        fix="Take it out of the address, or have it granted: GRANT SET ON PARAMETER.",
    ),
    Cause(
        code="bad-option",
        sqlstate="42704",
        why="The address sets a parameter (options=...) that this server does not have.",
        fix="Correct its name, or take it out of the address.",
    ),
    Cause(
        code="bad-option",
        sqlstate="22023",
        why="The address sets a parameter (options=...) to a value that this server does not take.",
        fix="Correct the value, or take it out of the address.",
    ),
    Cause(
        code="protocol-violation",
        sqlstate="08",
        transient=True,
        why="The connection broke while the session was being opened.",
        fix="Try again; if it goes on, read the logs of the server and of any pooler or proxy between.",
    ),
    Cause(
        code="bad-address",
        step=Step.CONFIGURATION,
        why="The client library (libpq) cannot make sense of this address.",
        fix="Correct the parameter that the message names.",
    ),
)
