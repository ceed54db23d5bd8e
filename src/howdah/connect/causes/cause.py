"""What one row of the table of causes says, and when it fits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from howdah.connect.failures import Failure, Step


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One reason why sessions are refused. A condition left empty fits everything.

    Attributes:
        code: kebab-case, as ConnectError and findings carry it.
        why: what the failure means; `{place}`, `{host}`, `{user}` and `{database}` are filled in.
        fix: what a person does about it, filled in likewise.
        transient: whether waiting may help; decides about every retry.
        next: commands to type.
        local_next: commands to type instead where the server should be on this machine.
        sslmode: the value that leads further, where it is all that stands in the way.
        sqlstate: a code, or its first two characters for a whole class.
        routine: the server's C function; a pooler has none.
        words: a regular expression found in the message.
        place: a regular expression found in the address as shown.
        step: the step that failed.
        errnos: of the system, or of the resolver for name resolution.
        tls_would_help: only where an encrypted attempt got further.
        reported_step: the step to name where libpq's own state says less.
    """

    code: str
    why: str
    fix: str
    transient: bool = False
    next: tuple[str, ...] = ()
    local_next: tuple[str, ...] = ()
    sslmode: str = ""
    sqlstate: str = ""
    routine: str = ""
    words: str = ""
    place: str = ""
    step: Step | None = None
    errnos: tuple[int, ...] = ()
    tls_would_help: bool = False
    reported_step: Step | None = None

    def fits(self, failure: Failure) -> bool:
        """Whether the failure has every property this row asks for."""
        return (
            (failure.sqlstate or "").startswith(self.sqlstate)
            and (not self.tls_would_help or failure.tls_would_help)
            and (not self.routine or failure.routine == self.routine)
            and (self.step is None or failure.step is self.step)
            and (not self.errnos or failure.errno in self.errnos)
            and (not self.words or re.search(self.words, failure.message) is not None)
            and (not self.place or re.search(self.place, failure.place) is not None)
        )
