"""One half of a migration as it will run: its statements, its checksums, and whether one transaction can hold it.

What could only fail, or would be recorded though nothing happened, is refused here, before anything runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import takewhile
from pathlib import Path

from howdah.errors import ScriptError, SourceError, Where
from howdah.migrate.checksums import Content
from howdah.pg.features import Feature, features_of
from howdah.pg.lexer import BYTE_ORDER_MARK
from howdah.pg.statements import Statement, shorten, split_script

_COMMAND_WORDS = frozenset(
    [
        "ALTER",
        "ALL",
        "CLUSTER",
        "COMMIT",
        "CONCURRENTLY",
        "CREATE",
        "DATABASE",
        "DISCARD",
        "DROP",
        "FULL",
        "INDEX",
        "PREPARED",
        "REINDEX",
        "ROLLBACK",
        "SCHEMA",
        "SUBSCRIPTION",
        "SYSTEM",
        "TABLE",
        "TABLESPACE",
        "UNIQUE",
        "VACUUM",
    ]
)


class Execution(Enum):
    """How a script runs."""

    TRANSACTION = "in one transaction"
    OUTSIDE = "outside a transaction"


@dataclass(frozen=True)
class Script:
    """A file that can be run.

    Attributes:
        statements: what is sent, one message each; a BEGIN and COMMIT around the whole file are ours to send.
        begin: how the transaction begins: the file's own BEGIN, with its modes, or a plain one.
        reason: why it runs outside a transaction; empty where it does not.
        content: what the file held when it was judged.
        forgets_prepared: it says DEALLOCATE or DISCARD somewhere.
        changes_role: it says SET ROLE or SET SESSION AUTHORIZATION somewhere.
    """

    path: Path
    content: Content
    statements: tuple[Statement, ...]
    execution: Execution
    begin: str
    reason: str
    changes_role: bool
    forgets_prepared: bool


def load_script(path: Path) -> Script:
    """Read a file and decide how it runs.

    Raises:
        SourceError: it cannot run, or could not be recorded honestly; says what golang-migrate would do with it.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"cannot read {path}: {error.strerror}", code="unreadable-migration", where=Where(str(path))
        ) from error
    text = _decode(raw, path)
    try:
        statements = split_script(text)
    except ScriptError as error:
        error.where = Where(str(path), error.line)
        raise
    features = [features_of(each.text) for each in statements]
    begin, body, reason = _decide(path, statements, features)
    lowered = text.lower()
    return Script(
        path=path,
        content=Content.of(raw),
        statements=tuple(body),
        execution=Execution.OUTSIDE if reason else Execution.TRANSACTION,
        begin=begin,
        reason=reason,
        changes_role="role" in lowered or "authorization" in lowered,
        forgets_prepared="deallocate" in lowered or "discard" in lowered,
    )


def _decode(raw: bytes, path: Path) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SourceError(
            f"not UTF-8: byte 0x{raw[error.start]:02x}",
            code="not-utf8",
            where=Where(str(path), line),
            why="The server would refuse the text, golang-migrate's history would be dirty.",
            fix="Save the file as UTF-8.",
        ) from error
    if text.startswith(BYTE_ORDER_MARK):
        raise SourceError(
            "the file starts with a byte order mark",
            code="byte-order-mark",
            where=Where(str(path), 1),
            why="golang-migrate sends it to the server, which takes it for a syntax error, and leaves the"
            " database dirty.",
            fix="Save the file as UTF-8 without a byte order mark.",
        )
    return text


def _decide(
    path: Path, statements: list[Statement], features: list[frozenset[Feature]]
) -> tuple[str, list[Statement], str]:
    """How the transaction begins, what is sent, and why it must run outside a transaction, if it must."""
    for statement, found in zip(statements, features, strict=True):
        _refuse_one(path, statement, found)
    controls = [
        (index, found)
        for index, found in enumerate(features)
        if found & {Feature.BEGIN, Feature.COMMIT, Feature.ROLLBACK}
    ]
    forbidden = [
        statement
        for statement, found in zip(statements, features, strict=True)
        if Feature.NO_TRANSACTION in found
    ]
    if not controls:
        reason = f"PostgreSQL forbids {_command(forbidden[0])} inside one" if forbidden else ""
        return "BEGIN", statements, reason
    _refuse_unbalanced(path, statements, features)
    whole = (
        len(controls) == 2
        and controls[0] == (0, controls[0][1])
        and Feature.BEGIN in controls[0][1]
        and controls[1][0] == len(statements) - 1
    )
    if whole and not forbidden:
        return statements[0].text, statements[1:-1], ""
    return "BEGIN", statements, "the file begins and commits transactions of its own"


def _refuse_one(path: Path, statement: Statement, found: frozenset[Feature]) -> None:
    where = Where(str(path), statement.line)
    if found & {Feature.COPY_FROM_STDIN, Feature.COPY_TO_STDOUT}:
        raise SourceError(
            "COPY FROM STDIN and TO STDOUT need psql on the other end",
            code="copy-needs-psql",
            where=where,
            why="A migration has no standard input; golang-migrate fails at it and leaves the database dirty.",
            fix="Write the rows as INSERT, for instance with `pg_dump --inserts`.",
        )
    lowered = statement.text.lower() if Feature.SESSION in found else ""
    if Feature.STRING_SYNTAX in found or (
        ("client_encoding" in lowered or statement.words[:2] == ("SET", "NAMES")) and "utf" not in lowered
    ):
        raise SourceError(
            "the file changes how its own text is read",
            code="text-settings",
            where=where,
            why="The statements behind it would be read by other rules than they were split by.",
            fix="Take the setting out, and write the file in UTF-8 with standard strings.",
        )
    if Feature.TWO_PHASE in found and Feature.NO_TRANSACTION not in found:
        raise SourceError(
            "PREPARE TRANSACTION parts the change from its record",
            code="prepared-transaction",
            where=where,
            fix="Let the migration commit by itself.",
        )
    if Feature.ROLLBACK in found:
        raise SourceError(
            "the file rolls back what it did",
            code="rolls-back",
            where=where,
            why="golang-migrate would record it as applied though nothing of it happened.",
            fix="Remove the ROLLBACK.",
        )
    if Feature.COMMIT in found and Feature.CHAIN in found:
        raise SourceError(
            "COMMIT AND CHAIN leaves a transaction open", code="unfinished-transaction", where=where
        )


def _refuse_unbalanced(path: Path, statements: list[Statement], features: list[frozenset[Feature]]) -> None:
    opened: Statement | None = None
    for statement, found in zip(statements, features, strict=True):
        if Feature.NO_TRANSACTION in found and opened:
            raise SourceError(
                f"{shorten(statement.text, limit=60)} stands between BEGIN and COMMIT",
                code="forbidden-in-transaction",
                where=Where(str(path), statement.line),
                why="PostgreSQL refuses it inside a transaction.",
                fix="Move it to a migration of its own.",
            )
        if Feature.BEGIN in found:
            opened = statement
        elif Feature.COMMIT in found:
            opened = None
    if opened:
        raise SourceError(
            "the file begins a transaction and does not end it",
            code="unfinished-transaction",
            where=Where(str(path), opened.line),
            why="golang-migrate commits it or fails, depending on its driver.",
            fix="Add COMMIT, or remove BEGIN: a migration is one transaction anyway.",
        )


def _command(statement: Statement) -> str:
    """The words of the command, without the names behind them."""
    return " ".join(takewhile(_COMMAND_WORDS.__contains__, statement.words))
