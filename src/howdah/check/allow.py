"""What a migration's file allows itself: `-- howdah: allow RULE REASON` in a comment.

Before a statement, inside it, or behind it on its last line, the comment is about that statement; `allow-file` is
about the whole file, wherever it stands. A revision in Python or TypeScript says it behind `#` or `//`, and always
for the whole file: where its statements begin is not known.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from howdah.check.report import MigrationReport, RuleFinding, StatementReport
from howdah.errors import ScriptError, Where
from howdah.findings import Finding, Severity
from howdah.observe.verdict import Verdict
from howdah.pg.lexer import Kind, read_tokens
from howdah.pg.statements import Statement, split_script

_SAYS = r"\s*howdah:\s*(?P<scope>allow-file|allow)\b[ \t]*(?P<rule>[^\s*]*)[ \t]*(?P<reason>[^\r\n]*?)\s*"
_SQL_COMMENT = re.compile(rf"(?:--+|/\*){_SAYS}(?:\*/)?", re.DOTALL)
_LINE_COMMENT = re.compile(rf"^[ \t]*(?:#|//){_SAYS}$", re.MULTILINE)
_PROGRAMS = frozenset({".py", ".ts", ".js", ".mts", ".cts", ".mjs", ".cjs"})


@dataclass(frozen=True, slots=True)
class Allowance:
    """One comment.

    Attributes:
        line: of the comment, from 1.
        statement: the line on which its statement begins; None: it is about the whole file.
    """

    file: Path
    line: int
    rule: str
    reason: str
    statement: int | None

    def covers(self, found: RuleFinding) -> bool:
        """Whether a finding is what it allows."""
        where = found.finding.where
        return (
            found.finding.code == self.rule
            and bool(self.reason)
            and where is not None
            and Path(where.file) == self.file
            and self.statement in (None, where.line)
        )


def apply_allowances(
    report: MigrationReport, files: Collection[Path], *, known: Collection[str], judged: Collection[str]
) -> MigrationReport:
    """The report with the reason at what its files allow; what is wrong with a comment is a finding, too.

    Args:
        report: of one migration.
        files: its halves; what cannot be read as a script allows nothing.
        known: names of rules that can be allowed.
        judged: those that were looked for: allowing one of them in vain is a finding.
    """
    allowances = [each for file in sorted(set(files)) for each in read_allowances(file)]
    if not allowances:
        return report
    used = {each for each in allowances if any(each.covers(found) for found in report.all_findings)}
    mended = replace(
        report,
        statements=_allow_statements(report.statements, allowances),
        down=_allow_statements(report.down, allowances),
        findings=_allow(report.findings, allowances),
    )
    # A statement that fails does not do what would be found, nor does any after it.
    is_whole = not any(each.effect.error for each in report.statements)
    judged = judged if is_whole else frozenset()
    wrong = (_complain(each, known, judged=judged) for each in allowances if each not in used)
    return replace(mended, findings=(*mended.findings, *filter(None, wrong)))


def read_allowances(file: Path) -> tuple[Allowance, ...]:
    """The comments of a file, in its order; () where it cannot be read as what its name says."""
    try:
        text = file.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return ()
    if file.suffix in _PROGRAMS:
        return tuple(
            Allowance(file, _line_at(text, found.start("scope")), found["rule"], found["reason"], None)
            for found in _LINE_COMMENT.finditer(text)
        )
    try:
        return tuple(_read_script(file, text))
    except ScriptError:
        return ()


def _read_script(file: Path, text: str) -> Iterator[Allowance]:
    if "howdah:" not in text:
        return
    statements = split_script(text)
    for kind, begin, end in read_tokens(text):
        found = _SQL_COMMENT.fullmatch(text, begin, end) if kind is Kind.COMMENT else None
        if found is None:
            continue
        owner = None if found["scope"] == "allow-file" else _owner(text, statements, begin)
        line = _line_at(text, begin)
        about = None if found["scope"] == "allow-file" else owner.line if owner else 0
        yield Allowance(file, line, found["rule"], found["reason"], about)


def _owner(text: str, statements: Sequence[Statement], place: int) -> Statement | None:
    """The statement that a comment is about: the one around it or before it on its line, else the next."""
    line = _line_at(text, place)
    before = [each for each in statements if each.offset < place]
    if before and (before[-1].end > place or _line_at(text, before[-1].end) == line):
        return before[-1]
    return next((each for each in statements if each.offset > place), None)


def _line_at(text: str, place: int) -> int:
    return 1 + text.count("\n", 0, place)


def _allow_statements(
    reports: Sequence[StatementReport], allowances: Sequence[Allowance]
) -> tuple[StatementReport, ...]:
    return tuple(replace(each, findings=_allow(each.findings, allowances)) for each in reports)


def _allow(found: Sequence[RuleFinding], allowances: Sequence[Allowance]) -> tuple[RuleFinding, ...]:
    return tuple(
        replace(each, allowed=next((one.reason for one in allowances if one.covers(each)), each.allowed))
        for each in found
    )


def _complain(allowance: Allowance, known: Collection[str], *, judged: Collection[str]) -> RuleFinding | None:
    """What is wrong with a comment that allowed nothing; None: that is not known."""
    where = Where(str(allowance.file), allowance.line)
    rule = allowance.rule
    if rule not in known:
        near = difflib.get_close_matches(rule, known, n=1)
        return _finding(
            Finding(
                "unknown-rule",
                f"there is no rule {rule} that can be allowed" if rule else "the comment names no rule",
                Severity.WARNING,
                where,
                fix=f"Did you mean {near[0]}?" if near else "Write the name of a finding behind `allow`.",
            )
        )
    if not allowance.reason:
        return _finding(
            Finding(
                "allow-without-reason",
                f"{rule} is not allowed: the comment gives no reason",
                Severity.WARNING,
                where,
                why="Who reads the file next year must be able to tell why.",
                fix=f"Write `howdah: allow {rule}` and behind it, on the same line, why it is right here.",
            )
        )
    if rule not in judged:
        return None
    return _finding(
        Finding(
            "unused-allow",
            f"{rule} is allowed here, and nothing here is found by it",
            Severity.WARNING,
            where,
            why="It stands at another statement than the finding, or what it was for is gone.",
            fix="Take the comment out, or put it right before its statement.",
        )
    )


def _finding(finding: Finding) -> RuleFinding:
    return RuleFinding(finding, Verdict.SAFE)
