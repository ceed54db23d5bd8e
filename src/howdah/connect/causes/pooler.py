"""What a pooler says by itself: 08P01 and no routine, in words that PgBouncer does not translate."""

from __future__ import annotations

from howdah.connect.causes.cause import Cause
from howdah.connect.failures import Step

_POOLER = "The answer came from a pooler such as PgBouncer, not from the server."

POOLER = (
    Cause(
        code="pooler-unknown-database",
        reported_step=Step.SESSION,
        words="^no such database|database .* (is )?not (configured|found)",
        sqlstate="08P01",
        why=_POOLER + " It has no database named {database}.",
        fix="Add {database} to the [databases] of the pooler, or connect to the server itself.",
    ),
    Cause(
        code="pooler-unknown-user",
        words='^no such user|^"trust" authentication failed',
        sqlstate="08P01",
        why=_POOLER + " It has no user named {user}.",
        fix="Add {user} to the pooler's auth_file, or to what its auth_query reads.",
    ),
    Cause(
        code="wrong-password",
        words="authentication failed|^Auth failed|invalid password|login rejected",
        sqlstate="08P01",
        why=_POOLER + " It does not accept this password for {user}.",
        fix="Correct the password, or the one in the pooler's auth_file.",
    ),
    Cause(
        code="pooler-full",
        words="^no more connections allowed|client connections exceeded|max_client_conn",
        sqlstate="08P01",
        transient=True,
        why=_POOLER + " It has as many clients as it may have.",
        fix="Close idle clients, or raise the pooler's max_client_conn or the limit of this user or"
        " database.",
    ),
    Cause(
        code="pooler-wait-timeout",
        words="query_wait_timeout",
        sqlstate="08P01",
        transient=True,
        why=_POOLER + " All its server connections stayed busy for longer than query_wait_timeout.",
        fix="Look for long transactions (howdah cannot see past the pooler), or raise its pool_size.",
    ),
    Cause(
        code="pooler-server-down",
        words="client_login_timeout|server login (has been )?fail|server_login_retry|"
        "cannot connect to server|server_connect_timeout|connect failed",
        sqlstate="08P01",
        transient=True,
        why=_POOLER + " It cannot reach or log in to the server behind it.",
        fix="Start the server behind the pooler, or correct its address and password in the pooler's"
        " configuration.",
    ),
    Cause(
        code="pooler-unsupported-parameter",
        words="unsupported startup parameter",
        sqlstate="08P01",
        why=_POOLER + " It refuses sessions that set this parameter when they start.",
        fix="Leave the parameter out, or add it to the pooler's ignore_startup_parameters.",
    ),
    Cause(
        code="pooler-tls-required",
        words="SSL required",
        sqlstate="08P01",
        why=_POOLER + " It takes encrypted connections only.",
        fix="Use sslmode=require, or better verify-full with the authority in sslrootcert.",
        sslmode="require",
    ),
    Cause(
        code="pooler-shutting-down",
        words="pooler is shutting down|pooler is shut",
        transient=True,
        sqlstate="08P01",
        why=_POOLER + " It is being stopped or restarted.",
        fix="Wait for it, or start it.",
    ),
)
