"""goose's table and lock, as far as no server is needed."""

from __future__ import annotations

import zlib

import pytest

from howdah.migrate.formats.goose import GOOSE
from howdah.migrate.formats.interface import Phase
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Step

TABLE = GOOSE.table
PLACE = HistoryTable("app", "public", "goose_db_version")
COLUMNS = {
    "id": "integer",
    "version_id": "bigint",
    "is_applied": "boolean",
    "tstamp": "timestamp without time zone",
}


def test_the_lock_is_that_of_its_session_locker() -> None:
    assert TABLE.lock_keys(PLACE) == (zlib.crc32(b"goose"),)


@pytest.mark.parametrize(
    "more", [{}, {"checksum": "text"}, {"id": "bigint"}, {"tstamp": "timestamp with time zone"}]
)
def test_its_columns_are_recognised_with_others_beside_them(more: dict[str, str]) -> None:
    assert TABLE.recognises(COLUMNS | more)


@pytest.mark.parametrize(
    "other",
    [
        {"version": "bigint", "dirty": "boolean"},
        COLUMNS | {"version_id": "integer"},
        COLUMNS | {"is_applied": "integer"},
        {key: kind for key, kind in COLUMNS.items() if key != "tstamp"},
    ],
)
def test_other_columns_are_not(other: dict[str, str]) -> None:
    assert not TABLE.recognises(other)


@pytest.mark.parametrize("direction", list(Direction))
def test_a_step_that_runs_looks_as_one_that_has_not_begun(direction: Direction) -> None:
    step = Step(Migration("1", "a"), direction, None, None)

    assert TABLE.record(PLACE, step, None, start=Phase.BEFORE, end=Phase.RUNNING) == ()
    assert TABLE.record(PLACE, step, None, start=Phase.RUNNING, end=Phase.BEFORE) == ()
    assert TABLE.record(PLACE, step, None, start=Phase.RUNNING, end=Phase.AFTER)
