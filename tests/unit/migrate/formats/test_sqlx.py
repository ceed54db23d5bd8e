"""sqlx's files, names, checksums and lock key: what its own source says."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import ConfigError, SourceError
from howdah.migrate.formats.interface import Phase, Transaction
from howdah.migrate.formats.sqlx import SQLX
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Source, Step

FILES, TABLE = SQLX.files, SQLX.table
HISTORY = HistoryTable("app", "public", "_sqlx_migrations")


def write(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name).write_text("SELECT 1;")
    return directory


def versions(source: Source) -> list[str]:
    return [each.version for each in source.migrations]


def test_numbers_order_the_files_whatever_their_digits_and_signs(tmp_path: Path) -> None:
    source = FILES.read(
        write(tmp_path, "10_b.sql", "9_a.sql", "0011_c.sql", "+12_d.sql", "-3_e.sql", "0_f.sql")
    )

    assert versions(source) == ["-3", "0", "9", "10", "11", "12"]


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_the_largest_and_the_least_version_are_taken(tmp_path: Path, number: int) -> None:
    assert versions(FILES.read(write(tmp_path, f"{number}_x.sql"))) == [str(number)]


@pytest.mark.parametrize(
    "name",
    [
        "seed_data.sql",
        "_x.sql",
        "+_x.sql",
        "1.5_x.sql",
        "\u0661_x.sql",
        " 1_x.sql",
        "1a_x.up.sql",
        f"{2**63}_x.sql",
    ],
)
def test_a_name_that_sqlx_stops_at_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="does not begin with a version") as caught:
        FILES.read(write(tmp_path, "1_a.sql", name))

    assert caught.value.code == "bad-file-name"
    assert "error parsing migration filename" in (caught.value.why or "")


def test_a_name_that_sqlx_passes_over_is_passed_over_and_told_where_it_is_sql(tmp_path: Path) -> None:
    write(tmp_path, "README.md", "my_notes.md", "001.sql", "1.up.sql", "2_x.SQL", "1_a.sql", "3_x.sql.bak")
    (tmp_path / "2_folder.sql").mkdir()

    source = FILES.read(tmp_path)

    assert versions(source) == ["1"]
    assert sorted(Path(str(note.where)).name for note in source.notes) == ["001.sql", "1.up.sql", "2_x.SQL"]


@pytest.mark.parametrize(
    ("name", "direction", "words"),
    [
        ("1_create_users.sql", Direction.UP, "create_users"),
        ("1_create_users.up.sql", Direction.UP, "create_users"),
        ("1_create_users.down.sql", Direction.DOWN, "create_users"),
        ("1_up.sql", Direction.UP, "up"),
        ("1_.up.sql", Direction.UP, ""),
        ("1_.sql", Direction.UP, ""),
        ("1_a.sql.sql", Direction.UP, "a"),
        ("1_a.down.sql.sql", Direction.UP, "a.down"),
        ("1_a.up.sql.up.sql", Direction.UP, "a"),
        ("1_a.up.down.sql", Direction.DOWN, "a.up"),
    ],
)
def test_half_and_words_of_a_name(tmp_path: Path, name: str, direction: Direction, words: str) -> None:
    (only,) = FILES.read(write(tmp_path, name)).migrations

    assert only.file(direction) == tmp_path / name
    assert only.name == words


def test_the_description_is_that_of_the_up_file(tmp_path: Path) -> None:
    (only,) = FILES.read(write(tmp_path, "1_a_down.down.sql", "01_the_up.up.sql")).migrations

    assert only.name == "the_up"
    (query,) = TABLE.record(
        HISTORY, Step(only, Direction.UP, None, "1"), "00", start=Phase.BEFORE, end=Phase.AFTER
    )
    assert query.parameters[:2] == ("1", "the up")


@pytest.mark.parametrize(
    ("first", "second"),
    [("5_x.sql", "005_y.sql"), ("5_x.sql", "5_x.up.sql"), ("5_x.down.sql", "+5_x.down.sql")],
)
def test_two_files_for_one_half_are_refused_naming_both(tmp_path: Path, first: str, second: str) -> None:
    with pytest.raises(SourceError, match="half of version 5") as caught:
        FILES.read(write(tmp_path, first, second))

    assert caught.value.code == "duplicate-migration"
    assert first in str(caught.value)
    assert second in str(caught.value)


def test_a_simple_file_may_have_a_down_file(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "5_x.sql", "5_x.down.sql"))

    (only,) = source.migrations
    assert (only.up, only.down) == (tmp_path / "5_x.sql", tmp_path / "5_x.down.sql")
    assert source.notes == ()


def test_a_half_without_the_other_is_told_and_a_simple_file_is_whole(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "1_a.sql", "2_b.up.sql", "3_c.down.sql"))

    assert [note.code for note in source.notes] == ["missing-down-file", "missing-up-file"]


def test_links_to_files_are_followed_and_one_to_nowhere_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere, "real.sql")
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "1_a.sql").symlink_to(elsewhere / "real.sql")
    (folder / "2_folder.sql").symlink_to(elsewhere)
    assert versions(FILES.read(folder)) == ["1"]

    (folder / "3_lost.sql").symlink_to(elsewhere / "gone.sql")

    with pytest.raises(SourceError) as caught:
        FILES.read(folder)
    assert caught.value.code == "broken-link"


def test_a_name_that_is_not_utf8_has_words_that_are(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"1_caf\xe9.sql")).write_text("SELECT 1;")

    (only,) = FILES.read(tmp_path).migrations

    assert only.name == "caf\ufffd"


@pytest.mark.parametrize(
    ("text", "transaction"),
    [
        ("-- no-transaction\nVACUUM;", Transaction.NEVER),
        ("-- no-transaction: see below\r\nVACUUM;", Transaction.NEVER),
        ("\n-- no-transaction\nVACUUM;", Transaction.ALWAYS),
        (" -- no-transaction\nVACUUM;", Transaction.ALWAYS),
        ("--no-transaction\nVACUUM;", Transaction.ALWAYS),
        ("-- No-Transaction\nVACUUM;", Transaction.ALWAYS),
        ("\ufeff-- no-transaction\nVACUUM;", Transaction.ALWAYS),
        ("", Transaction.ALWAYS),
    ],
)
@pytest.mark.parametrize("direction", Direction)
def test_the_directive_counts_as_the_first_bytes_only(
    text: str, transaction: Transaction, direction: Direction
) -> None:
    body = FILES.read_body(Path("1_a.sql"), text, direction)

    assert (body.text, body.first_line, body.transaction) == (text, 1, transaction)
    assert body.directive == "-- no-transaction"


@given(st.binary())
def test_the_checksum_is_of_the_bytes(raw: bytes) -> None:
    assert FILES.checksum(raw) == hashlib.sha384(raw).hexdigest()


def test_lock_keys_are_those_of_the_reference() -> None:
    assert TABLE.lock_keys(HistoryTable("mydb", "public", "x")) == (293176876009260204,)
    assert TABLE.lock_keys(HistoryTable("postgres", "other", "y")) == (368907709894077238,)


@pytest.mark.parametrize(("typed", "version"), [("7", "7"), ("007", "7"), ("-3", "-3"), ("+4", "4")])
def test_a_version_as_typed(typed: str, version: str) -> None:
    assert FILES.parse_version(typed, Source(Path(), ())) == version


@pytest.mark.parametrize("typed", ["", "x", "1.0", str(2**63)])
def test_what_is_no_version_is_refused(typed: str) -> None:
    with pytest.raises(ConfigError):
        FILES.parse_version(typed, Source(Path(), ()))


@pytest.mark.parametrize(
    ("there", "names"),
    [
        (("001_a.sql",), ["002_x.sql"]),
        (("0_a.sql",), ["1_x.sql"]),
        (("1_a.sql", "2_b.sql"), ["3_x.sql"]),
        (
            ("009_a.up.sql", "009_a.down.sql", "010_b.up.sql", "010_b.down.sql"),
            ["011_x.up.sql", "011_x.down.sql"],
        ),
        (("1_a.sql", "1_a.down.sql"), ["2_x.up.sql", "2_x.down.sql"]),
        (("1_a.up.sql", "1_a.down.sql", "2_b.sql"), ["3_x.sql"]),
    ],
)
def test_new_files_are_numbered_and_paired_as_the_newest_are(
    tmp_path: Path, there: tuple[str, ...], names: list[str]
) -> None:
    assert list(FILES.new(FILES.read(write(tmp_path, *there)), "x")) == names


@pytest.mark.parametrize("there", [(), ("5_a.sql",), ("20260101000000_a.sql",), ("1_a.sql", "5_b.sql")])
def test_new_files_have_a_timestamp_otherwise(tmp_path: Path, there: tuple[str, ...]) -> None:
    (name,) = FILES.new(FILES.read(write(tmp_path, *there)), "x")

    assert len(name.partition("_")[0]) == 14


def test_a_new_file_comes_after_a_timestamp_of_the_future(tmp_path: Path) -> None:
    write(tmp_path, "29991231235958_a.sql", "29991231235959_b.sql")

    assert list(FILES.new(FILES.read(tmp_path), "x")) == ["29991231235960_x.sql"]


def test_only_its_own_columns_are_recognised() -> None:
    columns = {
        "version": "bigint",
        "description": "text",
        "installed_on": "timestamp with time zone",
        "success": "boolean",
        "checksum": "bytea",
        "execution_time": "bigint",
    }
    assert TABLE.recognises(columns)
    assert TABLE.recognises({**columns, "note": "text"})
    assert not TABLE.recognises({**columns, "checksum": "text"})
    assert not TABLE.recognises({"version": "bigint", "dirty": "boolean"})


def test_a_phase_that_looks_the_same_needs_no_statement() -> None:
    step = Step(Migration("1", "a", Path("1_a.sql")), Direction.UP, None, "1")

    assert TABLE.record(HISTORY, step, "00", start=Phase.RUNNING, end=Phase.RUNNING) == ()


@pytest.mark.parametrize(
    ("settings", "key"),
    [('ignored-chars = ["\\r"]', "ignored-chars"), ('table-name = "app._sqlx_migrations"', "table-name")],
)
def test_a_setting_that_changes_checksums_or_the_table_is_refused(
    tmp_path: Path, settings: str, key: str
) -> None:
    folder = tmp_path / "crate" / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / "sqlx.toml").write_text(f"[migrate]\n{settings}\n")

    with pytest.raises(SourceError, match=key) as caught:
        FILES.read(folder)

    assert caught.value.code == "unsupported-setting"
    assert str(caught.value.where) == str(tmp_path / "sqlx.toml")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[common]\ndatabase-url-var = 'X'\n",
        "[migrate]\nignored-chars = []\ncreate-schemas = ['app']\nmigrations-dir = 'x'\n",
        "[migrate]\ntable-name = '_sqlx_migrations'\n[migrate.defaults]\nmigration-type = 'reversible'\n",
    ],
)
def test_other_settings_are_not_minded(tmp_path: Path, text: str) -> None:
    (tmp_path / "sqlx.toml").write_text(text)

    assert versions(FILES.read(write(tmp_path, "1_a.sql"))) == ["1"]


def test_a_sqlx_toml_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sqlx.toml").write_text("[migrate")

    with pytest.raises(SourceError, match="cannot read"):
        FILES.read(tmp_path)


def test_a_sqlx_toml_above_the_repository_is_not_ours(tmp_path: Path) -> None:
    folder = tmp_path / "repository" / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    (tmp_path / "sqlx.toml").write_text("[migrate]\nignored-chars = ['x']\n")

    assert FILES.read(folder).migrations == ()
