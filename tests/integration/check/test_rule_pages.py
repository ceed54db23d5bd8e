"""The pages of the rules tell the truth: "instead of" is found by the rule, "use" is not; on a real server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fix_server import RunningServer
from howdah.check.allow import read_allowances
from howdah.check.report import RuleFinding
from howdah.check.rules import BLOCKING, CHANGING, FAILING, NOTES
from judging import all_findings, judge_files, throwaway_at
from rule_pages import Example, example_tables, read_page

STOPPING = [each.name for each in (*FAILING, *BLOCKING)]
RULES = [*STOPPING, *(each.name for each in CHANGING), *(each.name for each in NOTES)]
# They tell of what is right as it is.
NOTED = {"waits-for-locks", "takes-long", "rows-written-at-once"}


def findings(server: RunningServer, directory: Path, examples: Sequence[Example]) -> list[RuleFinding]:
    """What is found in the examples, each a migration behind the tables; what its file allows is left out."""
    directory.mkdir()
    (directory / "1_tables.up.sql").write_text(example_tables())
    for number, example in enumerate(examples, 2):
        (directory / f"{number}_example.up.sql").write_text(example.up)
    judged = judge_files(throwaway_at(server.address), directory, base="1")
    allowed = [one for file in directory.iterdir() for one in read_allowances(file)]
    return [each for each in all_findings(judged) if not any(one.covers(each) for one in allowed)]


@pytest.mark.parametrize("rule", RULES)
def test_what_the_page_warns_of_is_found_in_its_words(
    rule: str, server: RunningServer, tmp_path: Path
) -> None:
    page = read_page(rule)
    assert page.instead
    found = findings(server, tmp_path / "instead", page.instead)
    assert rule in {each.finding.code for each in found}
    assert set(page.says) <= {each.finding.message for each in found}


@pytest.mark.parametrize("rule", [each for each in RULES if each not in NOTED])
def test_what_the_page_advises_is_not_found(rule: str, server: RunningServer, tmp_path: Path) -> None:
    page = read_page(rule)
    assert page.use
    found = findings(server, tmp_path / "use", page.use)
    assert rule not in {each.finding.code for each in found}
    assert not [each for each in found if each.finding.code in STOPPING]
