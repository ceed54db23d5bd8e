"""One half of a migration as it will run: its statements, its checksums, and whether one transaction can hold it.

What could only fail, or would be recorded though nothing happened, is refused here, before anything runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from itertools import takewhile
from pathlib import Path

from howdah.errors import ScriptError, SourceError, Where
from howdah.migrate.checksums import Content, content_of
from howdah.migrate.formats.interface import Body, Format, Transaction
from howdah.migrate.migration import Step
from howdah.migrate.plan import half_missing
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

# What commits inside itself: it may run in no transaction, and may have done something before it failed.
NOT_ATOMIC = frozenset(["CALL", "DO"])


class Execution(Enum):
    """How a script runs."""

    TRANSACTION = "in one transaction"
    OUTSIDE = "outside a transaction"


@dataclass(frozen=True)
class Script:
    """One half of a migration that can be run.

    Attributes:
        statements: what is sent, one message each; a BEGIN and COMMIT around the whole file are ours to send.
        begin: how the transaction begins: the file's own BEGIN, with its modes, or a plain one.
        reason: why it runs outside a transaction; empty where it does not.
        content: what the file, or its section, held when it was judged.
        checksum: of the file, as the format keeps it; None: it keeps none.
        may_leave: where the server says so, it may run outside a transaction after all.
        forgets_prepared: it says DEALLOCATE or DISCARD somewhere.
        changes_role: it says SET ROLE or SET SESSION AUTHORIZATION somewhere.
        resume_at: of one that an earlier run has begun, how many statements took effect for certain; None: none has.
    """

    path: Path
    content: Content
    checksum: str | None
    statements: tuple[Statement, ...]
    execution: Execution
    begin: str
    reason: str
    may_leave: bool
    changes_role: bool
    forgets_prepared: bool
    resume_at: int | None = None


def load_script(format: Format, step: Step) -> Script:
    """Read the file of a step and decide how it runs.

    Raises:
        SourceError: it cannot run, or could not be recorded honestly; says what the format's tool would do with it.
    """
    path = step.file
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"cannot read {path}: {error.strerror}", code="unreadable-migration", where=Where(str(path))
        ) from error
    whole = _decode(raw, path)
    body = format.files.read_body(path, whole, step.direction)
    if body.is_missing:
        raise half_missing(format, step.migration, step.direction)
    _refuse_mark(format, body, path)
    try:
        statements = [_moved(each, body.first_line) for each in split_script(body.text)]
    except ScriptError as error:
        error.where = Where(str(path), error.line + body.first_line - 1)
        raise
    how = _decide(_File(path, format.name, body), statements)
    lowered = body.text.lower()
    return Script(
        path=path,
        content=content_of(raw, whole, body),
        checksum=format.files.checksum(raw),
        statements=tuple(how.statements),
        execution=Execution.OUTSIDE if how.reason else Execution.TRANSACTION,
        begin=how.begin,
        reason=how.reason,
        may_leave=body.transaction is Transaction.AUTO,
        changes_role="role" in lowered or "authorization" in lowered,
        forgets_prepared="deallocate" in lowered or "discard" in lowered,
    )


@dataclass(frozen=True)
class _File:
    """What the judgement is about: the path, the tool, and what the file says of itself."""

    path: Path
    tool: str
    body: Body

    def at(self, statement: Statement) -> Where:
        return Where(str(self.path), statement.line)


@dataclass(frozen=True)
class _How:
    """How the transaction begins, what is sent, and why it must run outside a transaction, if it must."""

    begin: str
    statements: list[Statement]
    reason: str = ""


def _moved(statement: Statement, first_line: int) -> Statement:
    return statement if first_line == 1 else replace(statement, line=statement.line + first_line - 1)


def _decode(raw: bytes, path: Path) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SourceError(
            f"not UTF-8: byte 0x{raw[error.start]:02x}",
            code="not-utf8",
            where=Where(str(path), line),
            why="The server would refuse the text.",
            fix="Save the file as UTF-8.",
        ) from error


def _refuse_mark(format: Format, body: Body, path: Path) -> None:
    if body.text.startswith(BYTE_ORDER_MARK):
        raise SourceError(
            "the file starts with a byte order mark",
            code="byte-order-mark",
            where=Where(str(path), 1),
            why=f"{format.name} sends it to the server, which takes it for a syntax error.",
            fix="Save the file as UTF-8 without a byte order mark.",
        )


def _decide(file: _File, statements: list[Statement]) -> _How:
    features = [features_of(each.text) for each in statements]
    for statement, found in zip(statements, features, strict=True):
        _refuse_one(file, statement, found)
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
    if controls:
        _refuse_unbalanced(file, statements, features)
    if file.body.transaction is Transaction.NEVER:
        return _decide_outside(file, statements, controls=bool(controls), forbidden=bool(forbidden))
    if forbidden and file.body.transaction is Transaction.ALWAYS:
        raise _lacks_directive(file, forbidden[0])
    if not controls:
        reason = f"PostgreSQL forbids {_command(forbidden[0])} inside one" if forbidden else ""
        return _How("BEGIN", statements, reason)
    whole = (
        len(controls) == 2
        and controls[0] == (0, controls[0][1])
        and Feature.BEGIN in controls[0][1]
        and controls[1][0] == len(statements) - 1
    )
    if whole and not forbidden:
        return _How(statements[0].text, statements[1:-1])
    return _How("BEGIN", statements, "the file begins and commits transactions of its own")


def _decide_outside(file: _File, statements: list[Statement], *, controls: bool, forbidden: bool) -> _How:
    """A file that says of itself that no transaction is to hold it."""
    can_be_whole = not (controls or forbidden) and all(
        NOT_ATOMIC.isdisjoint(each.words[:1]) for each in statements
    )
    if file.body.as_one_message and len(statements) > 1 and can_be_whole:
        # The tool sends them as one message, which the server runs as one transaction: ours takes in the record, too.
        return _How("BEGIN", statements)
    return _How("BEGIN", _as_blocks(file.body, statements), "the file says so")


def _as_blocks(body: Body, statements: list[Statement]) -> list[Statement]:
    """Put BEGIN and COMMIT around what the tool sends as one message: it succeeds or fails as a whole."""
    begin, commit = split_script("BEGIN; COMMIT;")
    result: list[Statement] = []
    todo = list(statements)
    for first, last in body.blocks:
        result += [each for each in todo if each.line < first]
        inside = [each for each in todo if first <= each.line <= last]
        todo = [each for each in todo if each.line > last]
        features = [features_of(each.text) for each in inside]
        alone = {Feature.NO_TRANSACTION, Feature.BEGIN, Feature.COMMIT}
        if len(inside) < 2 or any(found & alone for found in features):
            result += inside
        else:
            ends = replace(begin, line=inside[0].line), replace(commit, line=inside[-1].line)
            result += [ends[0], *inside, ends[1]]
    return result + todo


def _lacks_directive(file: _File, statement: Statement) -> SourceError:
    directive = file.body.directive
    return SourceError(
        f"PostgreSQL forbids {_command(statement)} inside a transaction; the file does not ask to run outside one",
        code="needs-no-transaction",
        where=file.at(statement),
        why=f"{file.tool} would begin a transaction for it and fail.",
        fix=f"Write `{directive}` into the file." if directive else "Move it to a file of its own.",
    )


def _refuse_one(file: _File, statement: Statement, found: frozenset[Feature]) -> None:
    where = file.at(statement)
    if found & {Feature.COPY_FROM_STDIN, Feature.COPY_TO_STDOUT}:
        raise SourceError(
            "COPY FROM STDIN and TO STDOUT need psql on the other end",
            code="copy-needs-psql",
            where=where,
            why=f"A migration has no standard input; {file.tool} fails at it.",
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
            why=f"{file.tool} would record it as applied though nothing of it happened.",
            fix="Remove the ROLLBACK.",
        )
    if Feature.COMMIT in found and Feature.CHAIN in found:
        raise SourceError(
            "COMMIT AND CHAIN leaves a transaction open", code="unfinished-transaction", where=where
        )


def _refuse_unbalanced(file: _File, statements: list[Statement], features: list[frozenset[Feature]]) -> None:
    opened: Statement | None = None
    for statement, found in zip(statements, features, strict=True):
        if Feature.NO_TRANSACTION in found and opened:
            raise SourceError(
                f"{shorten(statement.text, limit=60)} stands between BEGIN and COMMIT",
                code="forbidden-in-transaction",
                where=file.at(statement),
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
            where=file.at(opened),
            why=f"Whether {file.tool} commits it or fails depends on its driver.",
            fix="Add COMMIT, or remove BEGIN: a migration is one transaction anyway.",
        )


def _command(statement: Statement) -> str:
    """The words of the command, without the names behind them."""
    return " ".join(takewhile(_COMMAND_WORDS.__contains__, statement.words))
