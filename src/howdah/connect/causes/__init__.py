"""Why sessions are refused: one table, read from the top; the first row that fits a failure is its cause.

The server's texts follow its lc_messages, so a row goes by SQLSTATE and C routine wherever they are enough,
and by words only where PostgreSQL gives one pair to two refusals, or where libpq, OpenSSL or a pooler speaks:
those are not translated. docs/reference/connection-errors.md is this table for people.
"""

from __future__ import annotations

from howdah.connect.causes.cause import Cause
from howdah.connect.causes.login import LOGIN
from howdah.connect.causes.network import NETWORK
from howdah.connect.causes.pooler import POOLER
from howdah.connect.causes.server import SERVER
from howdah.connect.causes.tls import TLS
from howdah.connect.failures import Failure

# fits everything: what is left says itself what happened
_UNKNOWN = Cause(
    code="cannot-connect",
    why="This failure is not one that howdah knows.",
    fix="Read the server's log at this moment.",
)

CAUSES = (*NETWORK, *TLS, *POOLER, *LOGIN, *SERVER, _UNKNOWN)


def find_cause(failure: Failure) -> Cause:
    """The first row of the table that fits."""
    return next(cause for cause in CAUSES if cause.fits(failure))
