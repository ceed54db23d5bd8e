"""What every format must do, on a real server. A new format is added to FORMATS and nowhere here."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.errors import SourceError
from howdah.migrate.database import look, read_history
from howdah.migrate.formats import FORMATS
from howdah.migrate.formats.interface import Format
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction
from howdah.migrate.sql import run_queries

HOSTILE_NAMES = ["history", 'quo"ted', "with space", "Müller %s $1", "a.b", "x" * 63]

each_format = pytest.mark.parametrize("format", FORMATS, ids=lambda each: each.name)


def table_in(database: DatabaseConfig, name: str) -> HistoryTable:
    return HistoryTable(database.database, "public", name)


@each_format
def test_files_it_names_are_files_it_reads(format: Format, tmp_path: Path) -> None:
    for words in ("first", "second_one", "third"):
        for name in format.name_files(format.read_files(tmp_path), words):
            assert not (tmp_path / name).exists()
            (tmp_path / name).write_text("SELECT 1;\n")

    source = format.read_files(tmp_path)

    assert [each.name for each in source.migrations] == ["first", "second_one", "third"]
    assert [each.version for each in source.migrations] == sorted(
        {each.version for each in source.migrations}
    )
    assert all(each.file(Direction.UP) for each in source.migrations)
    assert source.notes == ()


@each_format
def test_a_directory_that_is_not_there_is_an_error_and_an_empty_one_is_not(
    format: Format, tmp_path: Path
) -> None:
    assert format.read_files(tmp_path).migrations == ()
    with pytest.raises(SourceError):
        format.read_files(tmp_path / "nowhere")


@each_format
def test_lock_keys_are_ascending_and_differ_from_history_to_history(format: Format) -> None:
    one = format.lock_keys(HistoryTable("app", "public", "one"))
    two = format.lock_keys(HistoryTable("other", "public", "one"))

    assert list(one) == sorted(set(one))
    assert one
    assert not set(one) & set(two)


@each_format
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_history_goes_where_it_is_moved(format: Format, name: str, database: DatabaseConfig) -> None:
    table = table_in(database, name)
    states = [(None, False), (1, True), (1, False), (2**63 - 1, False), (7, True), (0, False), (None, False)]
    with connect(database) as connection:
        run_queries(connection, [format.create_table(table), format.create_table(table)])
        for before, after in pairwise(states):
            run_queries(connection, list(format.move_history(table, before=before, after=after)))

            at = look(connection, format, schema=None, table=name)
            history = read_history(connection, format, at)
            assert (history.version, history.dirty) == after


@each_format
def test_a_history_that_is_not_where_it_was_seen_is_never_overwritten(
    format: Format, database: DatabaseConfig
) -> None:
    table = table_in(database, "history")
    with connect(database) as connection:
        run_queries(connection, [format.create_table(table)])
        with pytest.raises(psycopg.errors.DivisionByZero):
            run_queries(connection, list(format.move_history(table, before=(3, False), after=(4, False))))
        run_queries(connection, list(format.move_history(table, before=(None, False), after=(1, False))))
        for wrong in ((None, False), (2, False), (1, True)):
            with pytest.raises(psycopg.errors.DivisionByZero):
                run_queries(connection, list(format.move_history(table, before=wrong, after=(4, False))))

        history = read_history(connection, format, look(connection, format, schema=None, table="history"))
        assert (history.version, history.dirty) == (1, False)


@each_format
def test_its_table_is_recognised_by_its_columns(format: Format, database: DatabaseConfig) -> None:
    table = table_in(database, format.table)
    with connect(database) as connection:
        assert look(connection, format, schema=None, table=None).exists is False

        run_queries(connection, [format.create_table(table)])

        assert look(connection, format, schema=None, table=None).exists is True
