"""The lines of `howdah migrate status`: when and by whom a migration was applied."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from howdah.cli.migrate_text import status_data, status_text
from howdah.config.database import DatabaseConfig
from howdah.migrate.history import Applied, History, HistoryTable, Record
from howdah.migrate.migration import Migration
from howdah.migrate.migrator import Migrator
from howdah.migrate.standing import State
from howdah.migrate.status import Entry, Status

RECORDED = datetime(2026, 3, 1, tzinfo=UTC)
IN_TABLE = datetime(2024, 2, 2, tzinfo=UTC)


def status_of(action: str | None, *, at: datetime | None) -> Status:
    record = action and Record("1", action, None, None, None, 1, 1, "ann", RECORDED, RECORDED, 0.002)
    table = HistoryTable("app", "public", "goose_db_version")
    migration = Migration("1", "users", Path("1_users.sql"), None)
    entry = Entry("1", migration, State.APPLIED, record or None, Applied("1", at=at))
    return Status(History(table, exists=True, applied=(Applied("1", at=at),)), (entry,), ())


def row_of(status: Status) -> list[str]:
    text = status_text(
        status, Migrator(database=DatabaseConfig(database="app"), directory=Path(), format="goose")
    )
    return text.splitlines()[1].split()[3:]


@pytest.mark.parametrize("action", [None, "baseline", "revert", "repair"])
def test_what_another_tool_applied_has_the_time_of_its_table(action: str | None) -> None:
    day, _ = row_of(status_of(action, at=IN_TABLE))

    assert day.startswith("2024-02-0")


@pytest.mark.parametrize("action", [None, "revert", "resolve-reverted"])
def test_a_revert_tells_nothing_of_what_is_applied_again(action: str | None) -> None:
    status = status_of(action, at=None)
    (data,) = status_data(status)["migrations"]

    assert row_of(status) == []
    assert (data["action"], data["applied_at"], data["applied_by"]) == (None, None, None)


def test_what_howdah_ran_has_its_record() -> None:
    day, _, *took_and_by = row_of(status_of("apply", at=IN_TABLE))

    assert day.startswith("2026-0")
    assert took_and_by == ["2", "ms", "ann"]


def test_what_a_person_declared_says_so() -> None:
    assert row_of(status_of("resolve-applied", at=IN_TABLE)) == ["(resolve-applied)", "ann"]
