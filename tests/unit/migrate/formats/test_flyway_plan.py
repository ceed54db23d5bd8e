"""Repeatable migrations in a plan: after the others, again when their file changed, never a version to stand at."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from howdah.migrate.formats.flyway import FLYWAY
from howdah.migrate.formats.flyway.migration import FlywayMigration
from howdah.migrate.history import Applied, History, HistoryTable
from howdah.migrate.migration import Source
from howdah.migrate.plan import plan_up
from howdah.migrate.standing import State, stand, states

TABLE = HistoryTable("app", "public", "flyway_schema_history")
NUMBERS = st.sets(st.integers(1, 9))
WORDS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"))


def source_of(numbers: set[int], words: dict[str, str]) -> Source:
    """Versioned files, and repeatable ones with their checksums."""
    versioned = [FlywayMigration(str(each), "x", Path(f"V{each}__x.sql")) for each in sorted(numbers)]
    repeatable = [
        FlywayMigration(f"R__{word}", word, Path(f"R__{word}.sql"), repeats=checksum)
        for word, checksum in sorted(words.items())
    ]
    return Source(Path("sql"), (*versioned, *repeatable))


def history_of(numbers: set[int], words: dict[str, str]) -> History:
    ran = (Applied(f"R__{word}", checksum=checksum) for word, checksum in words.items())
    return History(TABLE, True, (*ran, *(Applied(str(each)) for each in sorted(numbers))))


@given(NUMBERS, NUMBERS, WORDS, WORDS)
def test_they_run_when_they_never_ran_or_changed_behind_the_versioned_ones(
    old: set[int], more: set[int], ran: dict[str, str], there: dict[str, str]
) -> None:
    newest = max(old, default=0)
    new = {newest + each for each in more}
    source, history = source_of(old | new, there | ran), history_of(old, ran)
    edited = source_of(old | new, ran | there)

    plan = plan_up(FLYWAY, edited, history)

    assert [each.migration.version for each in plan.steps] == [
        *map(str, sorted(new)),
        *(f"R__{word}" for word in sorted(there) if ran.get(word) != there[word]),
    ]
    assert stand(FLYWAY, source, history).current == (str(newest) if old else None)
    assert {each.after for each in plan.steps} <= {str(each) for each in old | new} | {None}


def test_one_whose_file_is_gone_is_missing() -> None:
    found = states(FLYWAY, source_of({1}, {}), history_of({1}, {"a": "1"}))

    assert found == {"R__a": State.MISSING, "1": State.APPLIED}


def test_a_baseline_covers_versions_and_no_repeatable_migrations() -> None:
    history = History(TABLE, True, (Applied("2", covers_lower=True),))

    plan = plan_up(FLYWAY, source_of({1, 2, 3}, {"a": "1"}), history)

    assert [each.migration.version for each in plan.steps] == ["3", "R__a"]
