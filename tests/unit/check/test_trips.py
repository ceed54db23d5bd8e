"""What rules say of round trips made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from howdah.check.judgement import judge_trip, judge_way_back
from howdah.check.rules.trip_rule import told
from howdah.errors import SourceError
from howdah.findings import Severity
from howdah.migrate.migration import Direction, Migration, Step
from howdah.observe.effect import Change, ChangeKind, Effect
from howdah.observe.verdict import Verdict
from howdah.rehearse.data import LostData
from howdah.rehearse.observed import ObservedStatement, ObservedStep
from howdah.rehearse.trip import FailsOnRows, RoundTrip, WayBack
from howdah.schema.compare import Difference

MIGRATION = Migration("7", "x", Path("7_x.up.sql"), Path("7_x.down.sql"))
TYPE = Difference("type", "public.mood", None, "ENUM ('glad')")
DEFAULT = Difference("column", "public.users.name", "text DEFAULT 'x'", "text")


def step(direction: Direction, *changes: Change) -> ObservedStep:
    statement = ObservedStatement(1, 1, "SELECT 1", Effect(changes=changes))
    return ObservedStep(Step(MIGRATION, direction, "6", "7"), True, (statement,), None, 0.0)


TRIP = RoundTrip(MIGRATION, step(Direction.UP), step(Direction.DOWN), step(Direction.UP))


def codes(trip: RoundTrip) -> list[str]:
    return [each.finding.code for each in judge_trip(trip)]


def test_a_trip_that_comes_back_has_no_finding() -> None:
    assert judge_trip(TRIP) == ()
    assert judge_trip(replace(TRIP, down=None, again=None)) == ()
    assert judge_way_back(WayBack()) == ()


def test_what_is_left_behind_and_what_is_lost_are_two_findings_about_the_down_file() -> None:
    found = judge_trip(replace(TRIP, left=(TYPE, DEFAULT), mend=("DROP TYPE public.mood",)))
    assert [each.finding.code for each in found] == ["down-leaves-behind", "down-loses-schema"]
    assert all(str(each.finding.where) == "7_x.down.sql" for each in found)
    assert [step.sql for step in found[0].steps] == ["DROP TYPE public.mood"]
    assert found[1].finding.message == "its `down` does not bring back: column public.users.name"


def test_lost_data_is_a_warning_that_fails_no_check() -> None:
    (found,) = judge_trip(replace(TRIP, lost=(LostData('"public"."users"', "bio", 3, 2),)))
    assert found.finding.code == "down-loses-data"
    assert (found.finding.severity, found.verdict) == (Severity.WARNING, Verdict.SAFE)


def test_data_that_a_statement_was_seen_to_drop_is_not_told_again() -> None:
    dropped = Change(ChangeKind.DROPPED, "column", "public.users.bio", holds_data=True)
    lost = LostData('"public"."users"', "bio", 3, 3)
    assert codes(replace(TRIP, up=step(Direction.UP, dropped), lost=(lost,))) == []


def test_failing_on_any_row_and_on_made_up_rows_are_told_apart() -> None:
    certain = FailsOnRows(Direction.UP, "23502", "null", "public.users", is_certain=True)
    perhaps = replace(certain, is_certain=False)
    down = replace(certain, direction=Direction.DOWN)
    assert codes(replace(TRIP, fails_on_rows=(certain,))) == ["fails-on-any-row"]
    assert codes(replace(TRIP, fails_on_rows=(perhaps,))) == ["may-fail-on-rows"]
    assert codes(replace(TRIP, fails_on_rows=(down,))) == ["down-fails"]


def test_a_down_that_cannot_be_tried_fails() -> None:
    assert codes(replace(TRIP, problem=SourceError("the file rolls back"))) == ["down-fails"]


def test_another_end_behind_the_down_is_told() -> None:
    assert codes(replace(TRIP, differs=(DEFAULT,))) == ["up-differs-after-down"]


def test_an_up_that_is_another_each_time_is_not_laid_on_a_down_that_gives_all_back() -> None:
    (random,) = judge_trip(replace(TRIP, differs=(DEFAULT,)))
    (_, behind) = judge_trip(replace(TRIP, left=(TYPE,), differs=(DEFAULT,)))

    assert random.finding.where is not None
    assert behind.finding.where is not None
    assert (random.finding.where.file, behind.finding.where.file) == ("7_x.up.sql", "7_x.down.sql")


def test_what_the_whole_way_back_leaves_is_about_no_file() -> None:
    (found,) = judge_way_back(WayBack(left=(TYPE,)))
    assert found.finding.code == "chain-leaves-behind"
    assert found.finding.where is None


def test_of_a_longer_definition_the_line_that_is_other_is_told() -> None:
    before, after = "BEGIN\n  a :=  1;\n  RETURN a;\nEND", "BEGIN\n  a :=  2;\n  RETURN a;\nEND"

    said = told([Difference("function", "public.f()", before, after)])

    assert said == "~ function public.f(): - a := 1; + a := 2;"
