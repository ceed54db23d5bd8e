"""What code hosts are given: one entry a finding, at its line, whatever is in the texts."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.check.report import CheckReport, MigrationReport, RuleFinding, SafeStep, StatementReport
from howdah.check.reports import FORMS, find_writer
from howdah.check.reports.marks import Level, Mark, marks_of
from howdah.errors import Where
from howdah.findings import Finding, Severity
from howdah.observe.effect import Effect
from howdah.observe.verdict import Verdict

ROOT = Path("/repo")
FILE = ROOT / "db" / "0002_b.up.sql"


def finding(
    rule: str = "drops-table",
    *,
    verdict: Verdict = Verdict.DESTRUCTIVE,
    line: int = 3,
    allowed: str = "",
    is_old: bool = False,
    message: str = "public.users and its rows are gone",
    severity: Severity = Severity.WARNING,
) -> RuleFinding:
    return RuleFinding(
        Finding(rule, message, severity, Where(str(FILE), line), why="It was dropped.", fix="Keep it."),
        verdict,
        steps=(SafeStep("DROP TABLE x", verdict=Verdict.BRIEF),),
        allowed=allowed,
        is_old=is_old,
    )


def report(*findings: RuleFinding, database: str = "app", is_new: bool = True) -> CheckReport:
    statement = StatementReport(1, 3, "DROP TABLE users", Verdict.DESTRUCTIVE, Effect(), tuple(findings))
    migrations = (
        MigrationReport("1", "a", ROOT / "db" / "0001_a.up.sql", is_new=True),
        MigrationReport("2", "b", FILE, is_new=is_new, statements=(statement,)),
    )
    return CheckReport(database, ROOT / "db", "golang-migrate", migrations)


def marks(*reports: CheckReport, fail_on: Verdict = Verdict.BREAKING) -> tuple[Mark, ...]:
    return marks_of(reports, root=ROOT, fail_on=fail_on)


def test_a_finding_is_an_error_from_the_verdict_on_that_fails_the_check() -> None:
    (clean, found) = marks(report(finding()))
    assert (clean.rule, clean.file) == ("", "db/0001_a.up.sql")
    assert (found.level, found.file, found.line) == (Level.ERROR, "db/0002_b.up.sql", 3)
    (_, found) = marks(report(finding()), fail_on=Verdict.UNSAFE)
    assert found.level is Level.WARNING


def test_what_is_allowed_fails_nothing_and_keeps_its_reason() -> None:
    (_, found) = marks(report(finding(allowed="nobody uses it")))
    assert (found.level, found.allowed) == (Level.NOTE, "nobody uses it")


def test_what_the_base_has_already_is_left_out() -> None:
    assert [each.rule for each in marks(report(finding(is_old=True)))] == ["", ""]


def test_the_same_finding_keeps_its_fingerprint_when_lines_move() -> None:
    first, second = (marks(report(finding(line=line)))[1].fingerprint for line in (3, 30))
    other = marks(report(finding(message="another")))[1].fingerprint
    assert first == second != other


def test_github_gets_one_command_a_finding_with_all_of_its_text() -> None:
    text = find_writer("github")(marks(report(finding(message="50% gone: a, b"))))
    assert text == (
        "::error file=db/0002_b.up.sql,line=3,title=drops-table (destructive)::50%25 gone: a, b%0A"
        "It was dropped.%0AKeep it.%0A1. DROP TABLE x  -- brief, observed\n"
    )


def test_gitlab_gets_a_list_and_nothing_that_is_allowed() -> None:
    write = find_writer("gitlab")
    (entry,) = json.loads(write(marks(report(finding()))))
    assert entry["location"] == {"path": "db/0002_b.up.sql", "lines": {"begin": 3}}
    assert (entry["severity"], entry["check_name"]) == ("critical", "drops-table")
    assert json.loads(write(marks(report(finding(allowed="why not"))))) == []


def test_sarif_suppresses_what_is_allowed() -> None:
    log = json.loads(
        find_writer("sarif")(marks(report(finding(), finding("renames-table", allowed="it is ours"))))
    )
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [each["id"] for each in run["tool"]["driver"]["rules"]] == ["drops-table", "renames-table"]
    first, second = run["results"]
    assert (first["level"], first["ruleIndex"]) == ("error", 0)
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "db/0002_b.up.sql"
    assert "suppressions" not in first
    assert second["suppressions"] == [{"kind": "inSource", "justification": "it is ours"}]


def test_junit_has_a_case_a_migration_and_a_failure_where_the_check_fails() -> None:
    text = find_writer("junit")(marks(report(finding()), report(finding(allowed="ours"), database="chat")))
    suites = ET.fromstring(text)
    assert [(each.get("name"), each.get("tests"), each.get("failures")) for each in suites] == [
        ("app", "2", "1"),
        ("chat", "2", "0"),
    ]
    clean, failed = suites[0]
    assert len(clean) == 0
    assert [each.get("type") for each in failed] == ["drops-table"]


@pytest.mark.parametrize("form", FORMS)
def test_nothing_to_check_is_a_whole_report_too(form: str) -> None:
    text = find_writer(form)(())
    assert text == "" or text.endswith("\n")


@given(message=st.text(min_size=1), reason=st.text())
def test_no_text_breaks_a_form(message: str, reason: str) -> None:
    found = marks(report(finding(message=message, allowed=reason)))
    assert find_writer("github")(found).count("\n") == 1
    assert "\r" not in find_writer("github")(found)
    ET.fromstring(find_writer("junit")(found))
    assert json.loads(find_writer("sarif")(found))["runs"][0]["results"][0]["ruleId"] == "drops-table"
    json.loads(find_writer("gitlab")(found))
