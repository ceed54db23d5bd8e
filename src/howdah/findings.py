"""What checks return: findings, never text. `doctor`, `setup plan` and `migrate status` speak in these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from howdah.errors import HowdahError, Where


class Severity(Enum):
    """How much a finding matters. Only ERROR makes a report not ok."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing a check has to say: the same fields as HowdahError, so that both are shown alike.

    `code` is kebab-case; `message` is lower-case without a final stop; `why` and `fix` are sentences;
    `next` holds commands to type.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    where: Where | None = None
    why: str | None = None
    fix: str | None = None
    next: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: HowdahError) -> Finding:
        """The finding that says the same as an error."""
        return cls(
            code=error.code,
            message=error.message,
            where=error.where,
            why=error.why,
            fix=error.fix,
            next=error.next,
        )

    def as_json(self) -> dict[str, Any]:
        """The `problems` entry of the JSON contract (docs/reference/json.md)."""
        where = None if self.where is None else {"file": self.where.file, "line": self.where.line}
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "where": where,
            "why": self.why,
            "fix": self.fix,
            "next": list(self.next),
        }
