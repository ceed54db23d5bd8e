"""Flyway's lock key and the table it is known by."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from howdah.migrate.formats.flyway.table import FlywayTable
from howdah.migrate.history import HistoryTable

TABLE = FlywayTable()
COLUMNS = {
    "installed_rank": "integer",
    "version": "character varying(50)",
    "description": "character varying(200)",
    "type": "character varying(20)",
    "script": "character varying(1000)",
    "checksum": "integer",
    "installed_by": "character varying(100)",
    "installed_on": "timestamp without time zone",
    "execution_time": "integer",
    "success": "boolean",
}


def test_lock_keys_are_those_of_the_real_tool() -> None:
    assert TABLE.lock_keys(HistoryTable("any", "public", TABLE.name)) == (77433833903597,)
    assert TABLE.lock_keys(HistoryTable("any", "app", TABLE.name)) == (77431436970681,)


@given(st.text(), st.text())
def test_a_lock_key_is_one_of_flyways(schema: str, table: str) -> None:
    (key,) = TABLE.lock_keys(HistoryTable("any", schema, table))

    assert -(2**31) <= key - 0x466C79776179 < 2**31


def test_its_table_is_known_by_its_columns_whatever_their_lengths() -> None:
    assert TABLE.recognises(COLUMNS)
    assert TABLE.recognises(COLUMNS | {"version": "character varying(100)", "note": "text"})
    assert not TABLE.recognises(COLUMNS | {"version": "integer"})
    assert not TABLE.recognises({name: kind for name, kind in COLUMNS.items() if name != "success"})
