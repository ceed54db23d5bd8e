"""The pages of the rules tell the truth: "instead of" is found by the rule, "use" is not; on a real server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fix_server import RunningServer
from howdah.check.allow import read_allowances
from howdah.check.judgement import judge_trip, judge_way_back
from howdah.check.report import RuleFinding
from howdah.check.rules import BLOCKING, CHAIN, CHANGING, FAILING, KEYS, NOTES, TRIPS
from howdah.rehearse.round_trip import Travel, try_round_trips
from judging import advised, all_findings, judge_files, throwaway_at
from rule_pages import Example, example_tables, read_page

STOPPING = [each.name for each in (*FAILING, *BLOCKING)]
RULES = [
    *STOPPING,
    *(each.name for each in CHANGING),
    *(each.name for each in NOTES),
    *(each.name for each in KEYS),
]
ROUND = [*(each.name for each in TRIPS), *(each.name for each in CHAIN)]
# They tell of what is right as it is.
NOTED = {"waits-for-locks", "takes-long", "rows-written-at-once"}


def write(directory: Path, examples: Sequence[Example]) -> Path:
    """Each example is a migration behind the tables."""
    directory.mkdir()
    (directory / "1_tables.up.sql").write_text(example_tables())
    (directory / "1_tables.down.sql").write_text(_NO_TABLES)
    for number, example in enumerate(examples, 2):
        (directory / f"{number}_example.up.sql").write_text(example.up)
        if example.down:
            (directory / f"{number}_example.down.sql").write_text(example.down)
    return directory


def findings(server: RunningServer, directory: Path, examples: Sequence[Example]) -> list[RuleFinding]:
    """What is found in the examples; what their files allow is left out."""
    write(directory, examples)
    throwaway = throwaway_at(server.address)
    judged = advised(throwaway, directory, judge_files(throwaway, directory, base="1"))
    allowed = [one for file in directory.iterdir() for one in read_allowances(file)]
    return [each for each in all_findings(judged) if not any(one.covers(each) for one in allowed)]


_NO_TABLES = """
DROP MATERIALIZED VIEW members;
DROP VIEW known_users;
DROP TABLE orgs, users, sessions, events, events_2026_02;
"""


def found_on_the_way(server: RunningServer, directory: Path, examples: Sequence[Example]) -> dict[str, str]:
    """What is found when the examples are tried up, down and up again: message by rule."""
    write(directory, examples)
    trips = try_round_trips(throwaway_at(server.address), "golang-migrate", directory, Travel())
    found = [each for trip in trips.trips for each in judge_trip(trip)]
    found += judge_way_back(trips.way_back) if trips.way_back else ()
    return {each.finding.code: each.finding.message for each in found}


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


@pytest.mark.parametrize("rule", ROUND)
def test_a_way_back_that_the_page_warns_of_is_found(rule: str, server: RunningServer, tmp_path: Path) -> None:
    page = read_page(rule)
    found = found_on_the_way(server, tmp_path / "instead", page.instead)
    assert rule in found
    assert set(page.says) <= set(found.values())


@pytest.mark.parametrize("rule", ROUND)
def test_a_way_back_that_the_page_advises_is_not_found(
    rule: str, server: RunningServer, tmp_path: Path
) -> None:
    assert rule not in found_on_the_way(server, tmp_path / "use", read_page(rule).use)
