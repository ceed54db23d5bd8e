"""Every error howdah raises.

    HowdahError                    code, message, where, why, fix, next
      ConfigError (ValueError)     a file, variable or option is wrong
      ConnectError                 no session could be opened (OSError's and psycopg's errors are the cause)
      UnsupportedError             this server, file or setting cannot be handled; says what was found and needed
      CommandError                 a program of PostgreSQL failed
      RefusedError                 a guard refused: protected database, missing confirmation, pooler
      ProvisionError               a role, database, grant or extension could not be set up
        SetupIncomplete            (in provision/apply.py) some steps of a setup did not take effect; has its result
      MigrationError               base of everything about migrations and their history
        SourceError                the migration files are wrong: duplicates, names, contents
          ScriptError (ValueError) an SQL script cannot be split; says at which line and why
        HistoryMismatch            files and history contradict each other
        DirtyDatabase              a run stopped half-way outside a transaction; a human must look
        MigrationFailed            a migration failed; says what is applied and what is not
          ForeignStep              a migration that only its own tool can run, and no command for it is known
        LockTimeout (TimeoutError) another run holds the lock; says who

`message` is lower-case, without a final stop. `why` and `fix` are sentences. `next` holds commands to type.
Errors of the server keep psycopg's exception, with its SQLSTATE, as `__cause__`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Where:
    """A place a person can open: a file and, where known, a line (counted from 1)."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class HowdahError(Exception):
    """Base of all: what happened, to which object, where, why, and the next command to type.

    `code` is a kebab-case word with a page in docs/reference/errors.md.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        where: Where | None = None,
        why: str | None = None,
        fix: str | None = None,
        next: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.where = where
        self.why = why
        self.fix = fix
        self.next = next

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message

    @property
    def data(self) -> dict[str, object]:
        """What a program wants to know beyond the words: the `data` of the JSON contract."""
        return {}


class ConfigError(HowdahError, ValueError):
    """A configuration file, environment variable or option is wrong; names it and what was expected."""

    code = "bad-configuration"


class ConnectError(HowdahError):
    """No session could be opened. The target is named without its password; the cause is kept.

    `sqlstate` is the server's code, or None where the server was never reached.
    """

    code = "cannot-connect"

    def __init__(self, message: str, *, sqlstate: str | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.sqlstate = sqlstate


class UnsupportedError(HowdahError):
    """A version, file or setting cannot be handled; the message says what was found and what is needed."""

    code = "unsupported"


class CommandError(HowdahError):
    """A program of PostgreSQL failed: which, its exit status, the last lines it wrote to stderr."""

    code = "command-failed"

    def __init__(self, program: str, status: int, stderr: str, **details: object) -> None:
        lines = stderr.strip().splitlines()[-5:]
        super().__init__(
            f"{program} failed with exit status {status}: {' / '.join(lines) or 'it wrote nothing'}",
            **details,  # type: ignore[arg-type]
        )
        self.program = program
        self.status = status
        self.stderr = stderr


class RefusedError(HowdahError):
    """A guard refused to act; nothing was changed."""

    code = "refused"


class ProvisionError(HowdahError):
    """A role, database, grant or extension could not be set up."""

    code = "setup-failed"


class MigrationError(HowdahError):
    """Base of everything about migrations and their history."""

    code = "migration-error"


class SourceError(MigrationError):
    """The migration files are wrong; nothing was run."""

    code = "bad-migration-files"


class ScriptError(SourceError, ValueError):
    """An SQL script cannot be split into statements; nothing was run.

    `line` counts from 1, `offset` in characters from 0. Who knows the file's name sets `where`.
    """

    code = "bad-script"

    def __init__(self, message: str, *, line: int, offset: int, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.line = line
        self.offset = offset


class HistoryMismatch(MigrationError):
    """Files and history contradict each other; nothing was run."""

    code = "history-mismatch"


class DirtyDatabase(MigrationError):
    """A run stopped half-way outside a transaction; a human must look."""

    code = "dirty-database"


class MigrationFailed(MigrationError):
    """A migration failed; `fix` says in words what is applied and what is not.

    Attributes:
        applied: versions that took effect in this run, in order.
        failed: the version that failed.
        pending: versions of the plan that did not run.
        sqlstate: the server's code, or None where the connection was lost.
        is_partial: something of the failed version took effect, or may have.
    """

    code = "migration-failed"
    applied: tuple[str, ...] = ()
    failed: str | None = None
    pending: tuple[str, ...] = ()
    sqlstate: str | None = None
    is_partial: bool = False

    @property
    def data(self) -> dict[str, object]:
        """The attributes above."""
        return {
            "applied": list(self.applied),
            "failed": self.failed,
            "pending": list(self.pending),
            "sqlstate": self.sqlstate,
        }


class ForeignStep(MigrationFailed):
    """A migration that only its own tool can run, and nobody said how. The run stopped before it."""

    code = "foreign-step"


class LockTimeout(MigrationError, TimeoutError):
    """Another run holds the migration lock longer than we were told to wait; the message says who."""

    code = "lock-timeout"
