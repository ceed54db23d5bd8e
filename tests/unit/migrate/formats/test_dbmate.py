"""dbmate's files, order and sections: what its own source says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import ConfigError, SourceError
from howdah.migrate.formats.dbmate import DBMATE
from howdah.migrate.formats.interface import Body, Phase, Transaction
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Source, Step

FILES, TABLE = DBMATE.files, DBMATE.table
HISTORY = HistoryTable("app", "public", "schema_migrations")
FILE = Path("1_a.sql")
PAIR = "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\n"


def write(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name).write_text(PAIR)
    return directory


def versions(source: Source) -> list[str]:
    return [each.version for each in source.migrations]


def read(text: str, direction: Direction = Direction.UP) -> Body:
    return FILES.read_body(FILE, text, direction)


def test_the_order_is_that_of_the_names_as_bytes(tmp_path: Path) -> None:
    names = ["01_d.sql", "10_b.sql", "1_c.sql", "20.sql", "2é.sql", "9-a.sql"]

    source = FILES.read(write(tmp_path, *reversed(names)))

    assert [each.up.name for each in source.migrations if each.up] == names
    assert versions(source) == sorted(versions(source), key=FILES.sort_key)


@pytest.mark.parametrize(
    ("one", "two"), [("1.sql", "10.sql"), ("1-a.sql", "10-b.sql"), ("1-a.sql", "10_b.sql")]
)
def test_an_order_that_the_versions_do_not_show_is_refused(tmp_path: Path, one: str, two: str) -> None:
    with pytest.raises(SourceError) as caught:
        FILES.read(write(tmp_path, one, two))

    assert caught.value.code == "mixed-order"
    assert one in str(caught.value)
    assert two in str(caught.value)


def test_versions_are_text_with_their_zeros(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "007_a.sql", "7_b.sql", f"{10**40}_c.sql"))

    assert versions(source) == ["007", str(10**40), "7"]
    assert [each.name for each in source.migrations] == ["a", "c", "b"]


def test_both_halves_are_in_one_file(tmp_path: Path) -> None:
    (only,) = FILES.read(write(tmp_path, "1_a.sql")).migrations

    assert only.up == only.down == tmp_path / "1_a.sql"


def test_a_name_needs_no_underscore(tmp_path: Path) -> None:
    (only,) = FILES.read(write(tmp_path, "20260101users.sql")).migrations

    assert (only.version, only.name) == ("20260101", "users")


def test_names_it_passes_over_are_told_where_they_are_sql(tmp_path: Path) -> None:
    write(tmp_path, "README.md", "seed.sql", "1_a.SQL", "٣_x.sql", "2_b.sql", "3_c.sql~")
    (tmp_path / "4_folder.sql").mkdir()

    source = FILES.read(tmp_path)

    assert versions(source) == ["2"]
    assert sorted(Path(str(note.where)).name for note in source.notes) == ["1_a.SQL", "seed.sql", "٣_x.sql"]


def test_two_files_of_one_version_are_refused_naming_both(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"version 5: 5_x\.sql and 5_y\.sql") as caught:
        FILES.read(write(tmp_path, "5_x.sql", "5_y.sql"))

    assert caught.value.code == "duplicate-migration"


def test_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").symlink_to(tmp_path / "gone.sql")

    with pytest.raises(SourceError) as caught:
        FILES.read(tmp_path)
    assert caught.value.code == "broken-link"


def test_a_name_that_is_not_utf8_has_words_that_are(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"1_caf\xe9.sql")).write_text(PAIR)

    (only,) = FILES.read(tmp_path).migrations

    assert only.name == "caf\ufffd"


def test_each_section_is_sent_with_its_directive_and_nothing_of_the_other() -> None:
    up, down = read(f"-- about\n\n{PAIR}"), read(f"-- about\n\n{PAIR}", Direction.DOWN)

    assert (up.text, up.first_line) == ("-- migrate:up\nCREATE TABLE a ();\n", 3)
    assert (down.text, down.first_line) == ("-- migrate:down\nDROP TABLE a;\n", 5)


def test_crlf_is_read() -> None:
    text = PAIR.replace("\n", "\r\n")

    assert read(text).text == "-- migrate:up\r\nCREATE TABLE a ();\r\n"
    assert read(text, Direction.DOWN).first_line == 3


@pytest.mark.parametrize(
    "line", ["-- migrate:up", "--migrate:up", "--\tmigrate:up  ", "--   migrate:up x", "-- migrate:up a:b"]
)
def test_forms_of_the_directive(line: str) -> None:
    assert read(f"{line}\nSELECT 1;\n-- migrate:down").text == f"{line}\nSELECT 1;\n"


@pytest.mark.parametrize(
    "line", [" -- migrate:up", "-- Migrate:up", "-- migrate:upwards", "-- migrate:up;", "# migrate:up"]
)
def test_what_only_looks_like_the_directive(line: str) -> None:
    with pytest.raises(SourceError, match="there is no '-- migrate:up'") as caught:
        read(f"{line}\nSELECT 1;\n-- migrate:down\n")

    assert caught.value.code == "bad-sections"


@pytest.mark.parametrize(
    ("words", "transaction"),
    [
        ("transaction:false", Transaction.NEVER),
        ("a:b transaction:false c", Transaction.NEVER),
        ("transaction:true", Transaction.ALWAYS),
        ("transaction:False", Transaction.ALWAYS),
        ("transaction: false", Transaction.ALWAYS),
        ("transaction:false:x", Transaction.ALWAYS),
        ("transaction:false transaction:true", Transaction.ALWAYS),
        ("", Transaction.ALWAYS),
    ],
)
def test_options_hold_for_their_direction(words: str, transaction: Transaction) -> None:
    text = f"-- migrate:up {words}\r\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"

    assert read(text).transaction is transaction
    assert read(text, Direction.DOWN).transaction is Transaction.ALWAYS
    assert read(text, Direction.DOWN).directive == "-- migrate:down transaction:false"


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("", "there is no '-- migrate:up'", 1),
        ("SELECT 1;\n", "there is no '-- migrate:up'", 1),
        ("-- migrate:down\n-- migrate:up\n", "there is no '-- migrate:down' behind", 2),
        ("-- migrate:up\nSELECT 1;\n", "there is no '-- migrate:down' behind", 1),
        ("-- a\nSELECT 1;\n-- migrate:up\n-- migrate:down\n", "something stands before", 2),
        ("/* a */\n-- migrate:up\n-- migrate:down\n", "something stands before", 1),
        ("-- migrate:up\n-- migrate:down\n-- migrate:down\n", "there is a second '-- migrate:down'", 3),
        ("\ufeff-- migrate:up\n-- migrate:down\n", "there is no '-- migrate:up'", 1),
        ("\ufeff-- a\n-- migrate:up\n-- migrate:down\n", "something stands before", 1),
    ],
)
@pytest.mark.parametrize("direction", Direction)
def test_what_dbmate_refuses_is_refused_with_the_line(
    text: str, message: str, line: int, direction: Direction
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read(text, direction)

    assert (caught.value.code, str(caught.value.where)) == ("bad-sections", f"1_a.sql:{line}")
    assert ("byte order mark" in (caught.value.fix or "")) is text.startswith("\ufeff")


@pytest.mark.parametrize("direction", Direction)
def test_several_pairs_of_sections_are_refused(direction: Direction) -> None:
    with pytest.raises(SourceError) as caught:
        read(PAIR + PAIR, direction)

    assert (caught.value.code, str(caught.value.where)) == ("several-sections", "1_a.sql:5")


@given(st.text(alphabet="-migrate:updown \t\r\n\v;S", max_size=60))
def test_two_sections_together_are_the_rest_of_the_file(text: str) -> None:
    try:
        up, down = read(text), read(text, Direction.DOWN)
    except SourceError:
        return
    assert text.endswith(up.text + down.text)


def test_a_version_as_typed_finds_the_file_that_has_it(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "007_a.sql", "8_b.sql", "08_c.sql"))

    assert FILES.parse_version("7", source) == "007"
    assert FILES.parse_version("007", source) == "007"
    assert FILES.parse_version("8", source) == "8"
    assert FILES.parse_version("008", source) == "008"
    for wrong in ("", "x", "-1", "٣"):
        with pytest.raises(ConfigError):
            FILES.parse_version(wrong, source)


def test_a_new_file_has_a_timestamp_and_both_sections(tmp_path: Path) -> None:
    ((name, text),) = FILES.new(FILES.read(write(tmp_path, "001_a.sql")), "x").items()

    assert len(name) == len("20260101000000_x.sql")
    assert FILES.read_body(FILE, text, Direction.UP).text == "-- migrate:up\n\n\n"


@pytest.mark.parametrize(
    ("newest", "name"), [("300_a.sql", "301_x.sql"), ("29991231235959_a.sql", "29991231235960_x.sql")]
)
def test_a_new_file_is_numbered_where_a_timestamp_would_come_before_the_newest(
    tmp_path: Path, newest: str, name: str
) -> None:
    assert list(FILES.new(FILES.read(write(tmp_path, newest)), "x")) == [name]


@pytest.mark.parametrize("kind", ["character varying", "character varying(128)", "character varying(255)"])
def test_its_one_column_is_recognised_in_every_width(kind: str) -> None:
    assert TABLE.recognises({"version": kind})


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"version": "text"},
        {"version": "bigint", "dirty": "boolean"},
        {"version": "character varying", "at": "date"},
    ],
)
def test_other_columns_are_not_recognised(columns: dict[str, str]) -> None:
    assert not TABLE.recognises(columns)


@pytest.mark.parametrize("direction", Direction)
def test_a_running_step_looks_as_if_it_had_not_begun(direction: Direction) -> None:
    step = Step(Migration("1", "a", FILE, FILE), direction, None, None)

    assert TABLE.record(HISTORY, step, None, start=Phase.BEFORE, end=Phase.RUNNING) == ()
    assert TABLE.record(HISTORY, step, None, start=Phase.RUNNING, end=Phase.AFTER) == TABLE.record(
        HISTORY, step, None, start=Phase.BEFORE, end=Phase.AFTER
    )


def test_it_takes_no_lock() -> None:
    assert TABLE.lock_keys(HISTORY) == ()
