"""What every format must do, on a real server. A new format is added to FORMAT_NAMES and nowhere here."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.errors import SourceError
from howdah.migrate.create import create_migration
from howdah.migrate.database import look, read_history
from howdah.migrate.formats import all_formats
from howdah.migrate.formats.interface import Format, Keeps, Phase
from howdah.migrate.history import History, HistoryTable
from howdah.migrate.migration import Direction, Source, Step
from howdah.migrate.sql import run_queries
from howdah.migrate.standing import stand

HOSTILE_NAMES = ["history", 'quo"ted', "with space", "Müller %s $1", "a.b", "x" * 63]

each_format = pytest.mark.parametrize("format", all_formats(), ids=lambda each: each.name)


def table_in(database: DatabaseConfig, name: str) -> HistoryTable:
    return HistoryTable(database.database, "public", name)


def write_three(format: Format, directory: Path) -> Source:
    for words in ("first", "second_one", "third"):
        create_migration(directory, words, format=format)
    return format.files.read(directory)


def history_in(connection: psycopg.Connection, format: Format, name: str) -> History:
    return read_history(connection, format, look(connection, format, schema=None, table=name))


def columns_of(connection: psycopg.Connection, table: HistoryTable) -> dict[str, str]:
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0",
        [table.sql],
    )
    return dict(rows.fetchall())


@each_format
def test_files_it_names_are_files_it_reads_in_order(format: Format, tmp_path: Path) -> None:
    source = write_three(format, tmp_path)

    assert [each.name.replace(" ", "_") for each in source.migrations] == ["first", "second_one", "third"]
    assert len(source.by_version) == 3
    assert all(each.file(Direction.UP) for each in source.migrations)
    assert source.notes == ()


@each_format
def test_a_version_is_found_as_it_is_shown(format: Format, tmp_path: Path) -> None:
    source = write_three(format, tmp_path)

    for version in source.by_version:
        assert format.files.parse_version(version, source) == version
    if format.table.keeps is not Keeps.HEADS:
        keys = [format.files.sort_key(version) for version in source.by_version]
        assert keys == sorted(set(keys))


@each_format
def test_a_directory_that_is_not_there_is_an_error_and_an_empty_one_is_not(
    format: Format, tmp_path: Path
) -> None:
    assert format.files.read(tmp_path).migrations == ()
    with pytest.raises(SourceError):
        format.files.read(tmp_path / "nowhere")


@each_format
def test_lock_keys_are_ascending_and_fit_the_server(format: Format) -> None:
    keys = format.table.lock_keys(HistoryTable("app", "public", "one"))

    assert list(keys) == sorted(set(keys))
    assert all(-(2**63) <= key < 2**63 for key in keys)


@each_format
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_history_goes_through_the_phases_of_a_step_and_back(
    format: Format, name: str, database: DatabaseConfig, tmp_path: Path
) -> None:
    source, table = write_three(format, tmp_path), table_in(database, name)
    first, second, _ = source.migrations
    checksum = format.files.checksum(b"SELECT 1;\n")
    ways = {
        Step(first, Direction.UP, None, first.version): [first.version],
        Step(second, Direction.UP, first.version, second.version): [first.version, second.version],
        Step(second, Direction.DOWN, second.version, first.version): [first.version],
        Step(first, Direction.DOWN, first.version, None): [],
    }
    with connect(database) as connection:
        run_queries(connection, [*format.table.create(table), *format.table.create(table)])
        assert stand(format, source, history_in(connection, format, name)).applied == ()
        for step, applied in ways.items():
            for start, end in (
                (Phase.BEFORE, Phase.RUNNING),
                (Phase.RUNNING, Phase.BEFORE),
                (Phase.BEFORE, Phase.RUNNING),
                (Phase.RUNNING, Phase.AFTER),
                (Phase.AFTER, Phase.AFTER),
            ):
                if start is not end:
                    moves = format.table.record(table, step, checksum, start=start, end=end)
                    run_queries(connection, list(moves))
                history = history_in(connection, format, name)
                is_marked = end is Phase.RUNNING and format.table.marks_running
                assert (history.dirty is not None) is is_marked
            assert list(stand(format, source, history).applied) == applied


@each_format
def test_a_history_that_is_not_where_it_was_seen_is_never_overwritten(
    format: Format, database: DatabaseConfig, tmp_path: Path
) -> None:
    source, table = write_three(format, tmp_path), table_in(database, "history")
    first, second, _ = source.migrations
    checksum = format.files.checksum(b"SELECT 1;\n")
    up = Step(first, Direction.UP, None, first.version)
    down = Step(first, Direction.DOWN, first.version, None)
    down_second = Step(second, Direction.DOWN, second.version, first.version)
    with connect(database) as connection:
        run_queries(connection, list(format.table.create(table)))

        def refuses(step: Step) -> None:
            before = history_in(connection, format, "history")
            moves = format.table.record(table, step, checksum, start=Phase.BEFORE, end=Phase.AFTER)
            with pytest.raises(psycopg.errors.DivisionByZero):
                run_queries(connection, list(moves))
            assert history_in(connection, format, "history") == before

        refuses(down)
        refuses(down_second)
        run_queries(
            connection, list(format.table.record(table, up, checksum, start=Phase.BEFORE, end=Phase.AFTER))
        )
        refuses(up)
        refuses(down_second)


@each_format
def test_a_declaration_overwrites_whatever_is_there(
    format: Format, database: DatabaseConfig, tmp_path: Path
) -> None:
    source, table = write_three(format, tmp_path), table_in(database, "history")
    first = source.migrations[0]
    checksum = format.files.checksum(b"SELECT 1;\n")
    up = Step(first, Direction.UP, None, first.version)
    with connect(database) as connection:
        run_queries(connection, list(format.table.create(table)))
        for end in (Phase.AFTER, Phase.AFTER, Phase.RUNNING, Phase.AFTER, Phase.BEFORE, Phase.BEFORE):
            start = Phase.BEFORE if end is Phase.RUNNING else None
            if end is Phase.RUNNING:  # from an empty history, as a run would
                run_queries(
                    connection, list(format.table.record(table, up, checksum, start=None, end=Phase.BEFORE))
                )
            run_queries(connection, list(format.table.record(table, up, checksum, start=start, end=end)))
            history = history_in(connection, format, "history")
            if end is not Phase.RUNNING:
                wanted = (first.version,) if end is Phase.AFTER else ()
                assert (stand(format, source, history).applied, history.dirty) == (wanted, None)


@each_format
def test_a_baseline_makes_its_version_and_all_before_it_applied(
    format: Format, database: DatabaseConfig, tmp_path: Path
) -> None:
    source, table = write_three(format, tmp_path), table_in(database, "history")
    declared = [(each, format.files.checksum(b"SELECT 1;\n")) for each in source.migrations[:2]]
    with connect(database) as connection:
        run_queries(connection, list(format.table.create(table)))
        run_queries(connection, list(format.table.baseline(table, declared)))

        standing = stand(format, source, history_in(connection, format, "history"))

    assert list(standing.applied) == [each.version for each, _ in declared]
    assert standing.pending == source.migrations[2:]


@each_format
def test_its_table_is_recognised_by_its_columns_and_no_other_format_takes_it(
    format: Format, database: DatabaseConfig
) -> None:
    table = table_in(database, format.table.name)
    with connect(database) as connection:
        assert look(connection, format, schema=None, table=None).exists is False

        run_queries(connection, list(format.table.create(table)))

        assert look(connection, format, schema=None, table=None).exists is True
        columns = columns_of(connection, table)
    assert [each.name for each in all_formats() if each.table.recognises(columns)] == [format.name]


@each_format
def test_a_new_checksum_is_taken(format: Format, database: DatabaseConfig, tmp_path: Path) -> None:
    source, table = write_three(format, tmp_path), table_in(database, "history")
    first = source.migrations[0]
    old, new = format.files.checksum(b"SELECT 1;\n"), format.files.checksum(b"SELECT 2;\n")
    if old is None or new is None:
        assert format.table.bless(table, first.version, "") == ()
        return
    up = Step(first, Direction.UP, None, first.version)
    with connect(database) as connection:
        run_queries(connection, list(format.table.create(table)))
        run_queries(connection, list(format.table.record(table, up, old, start=None, end=Phase.AFTER)))
        assert history_in(connection, format, "history").applied[0].checksum == old

        run_queries(connection, list(format.table.bless(table, first.version, new)))

        assert history_in(connection, format, "history").applied[0].checksum == new
