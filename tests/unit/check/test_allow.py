"""`-- howdah: allow RULE REASON`: which comment is about which statement, and what is wrong with a comment."""

from __future__ import annotations

from pathlib import Path

import pytest

from howdah.check.allow import apply_allowances, read_allowances
from howdah.check.report import MigrationReport, RuleFinding, StatementReport
from howdah.errors import Where
from howdah.findings import Finding
from howdah.observe.effect import Effect
from howdah.observe.verdict import Verdict
from howdah.pg.statements import split_script

KNOWN = frozenset({"drops-table", "index-build-blocks-writes", "down-fails"})


def check(
    file: Path,
    rule: str = "drops-table",
    *,
    judged: frozenset[str] = KNOWN,
    findings: tuple[RuleFinding, ...] = (),
) -> MigrationReport:
    """A report in which the rule speaks of each statement of a file that says DROP, with its allowances applied."""
    statements = split_script(file.read_bytes().decode()) if file.suffix == ".sql" else []
    reports = tuple(
        StatementReport(
            number,
            each.line,
            each.text,
            Verdict.DESTRUCTIVE,
            Effect(),
            (finding(file, rule, each.line),) if "DROP" in each.text else (),
        )
        for number, each in enumerate(statements, 1)
    )
    report = MigrationReport("1", "x", file, is_new=True, is_run=True, statements=reports, findings=findings)
    return apply_allowances(report, [file], known=KNOWN, judged=judged)


def finding(file: Path, rule: str, line: int | None) -> RuleFinding:
    return RuleFinding(Finding(rule, "it is gone", where=Where(str(file), line)), Verdict.DESTRUCTIVE)


def reasons(report: MigrationReport) -> list[str]:
    return [each.allowed for statement in report.statements for each in statement.findings]


def codes(report: MigrationReport) -> list[str]:
    return [each.finding.code for each in report.findings]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "1_x.up.sql"


@pytest.mark.parametrize(
    "text",
    [
        "-- howdah: allow drops-table nobody reads it\nDROP TABLE a;",
        "DROP TABLE a; -- howdah: allow drops-table nobody reads it\nSELECT 1;",
        "DROP TABLE a -- howdah: allow drops-table nobody reads it\n;",
        "DROP /* howdah: allow drops-table nobody reads it */ TABLE a;",
        "SELECT 1;\r\n\r\n--howdah: allow drops-table nobody reads it\r\nDROP TABLE a;\r\n",
        "-- howdah: allow drops-table nobody reads it\n-- and a line about it\n\n  DROP TABLE a",
        "DROP TABLE a;\nSELECT 1;\n-- howdah: allow-file drops-table nobody reads it",
        "-- +goose Up\n-- howdah: allow drops-table nobody reads it\nDROP TABLE a;\n-- +goose Down\nSELECT 1;",
        "-- migrate:up\nDROP TABLE a; -- howdah: allow drops-table nobody reads it\n-- migrate:down\n",
    ],
)
def test_a_comment_at_a_statement_or_for_the_file_allows_its_finding(file: Path, text: str) -> None:
    file.write_bytes(text.encode())
    report = check(file)
    assert reasons(report) == ["nobody reads it"]
    assert codes(report) == []


def test_a_comment_is_about_one_statement_only(file: Path) -> None:
    file.write_text("-- howdah: allow drops-table one\nDROP TABLE a;\nDROP TABLE b;\n")
    assert reasons(check(file)) == ["one", ""]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '-- howdah: allow drops-table no';\nDROP TABLE a;",
        "SELECT $$\n-- howdah: allow drops-table no\n$$;\nDROP TABLE a;",
        'SELECT 1 AS "-- howdah: allow drops-table no";\nDROP TABLE a;',
        "-- says: howdah: allow drops-table no\nDROP TABLE a;",
    ],
)
def test_what_is_no_comment_of_ours_allows_nothing(file: Path, text: str) -> None:
    file.write_text(text)
    report = check(file)
    assert reasons(report) == [""]
    assert codes(report) == []


def test_a_reason_is_asked_for(file: Path) -> None:
    file.write_text("-- howdah: allow drops-table\nDROP TABLE a;")
    report = check(file)
    assert reasons(report) == [""]
    assert codes(report) == ["allow-without-reason"]
    assert str(report.findings[0].finding.where) == f"{file}:1"


def test_a_rule_that_there_is_not_is_told_with_the_one_that_was_meant(file: Path) -> None:
    file.write_text("-- howdah: allow drop-table gone\nDROP TABLE a;")
    report = check(file)
    assert codes(report) == ["unknown-rule"]
    assert report.findings[0].finding.fix == "Did you mean drops-table?"


@pytest.mark.parametrize(
    "text",
    [
        "-- howdah: allow drops-table gone\nSELECT 1;\nSELECT 2;",
        "SELECT 1;\n-- howdah: allow drops-table behind everything",
        "-- howdah: allow-file drops-table gone\nSELECT 1;",
    ],
)
def test_an_allowance_in_vain_is_a_finding(file: Path, text: str) -> None:
    file.write_text(text)
    assert codes(check(file)) == ["unused-allow"]


def test_nothing_is_allowed_in_vain_where_a_statement_fails(file: Path) -> None:
    file.write_text("-- howdah: allow drops-table gone\nALTER TABLE a ALTER b;")
    failed = StatementReport(1, 2, "", Verdict.FAILS, Effect(error="needed"))
    report = MigrationReport("1", "x", file, is_new=True, is_run=True, statements=(failed,))
    assert codes(apply_allowances(report, [file], known=KNOWN, judged=KNOWN)) == []


def test_what_was_not_looked_for_is_not_allowed_in_vain(file: Path) -> None:
    file.write_text("-- howdah: allow drops-table gone\nSELECT 1;")
    assert codes(check(file, judged=frozenset())) == []


@pytest.mark.parametrize(("name", "mark"), [("1_x.py", "#"), ("1-X.ts", "//")])
def test_revisions_of_programs_allow_for_the_whole_file(tmp_path: Path, name: str, mark: str) -> None:
    file = tmp_path / name
    file.write_text(f"\n{mark} howdah: allow down-fails there is no way back\nup = 1\n")
    report = check(file, findings=(finding(file, "down-fails", None),))
    assert [each.allowed for each in report.findings] == ["there is no way back"]


def test_a_file_that_cannot_be_read_allows_nothing(file: Path) -> None:
    assert read_allowances(file) == ()
    file.write_text("-- howdah: allow drops-table x\nSELECT 'open")
    assert read_allowances(file) == ()
    file.write_bytes(b"-- howdah: allow drops-table \xff\nSELECT 1")
    assert read_allowances(file) == ()


def test_the_verdict_forgets_what_is_allowed(file: Path) -> None:
    file.write_text("-- howdah: allow drops-table gone\nDROP TABLE a;")
    assert check(file).verdict is Verdict.SAFE
