"""golang-migrate's files, names, lock keys: what its own source says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import SourceError
from howdah.migrate.formats import FORMAT_NAMES, find_format
from howdah.migrate.formats.golang_migrate import GOLANG_MIGRATE
from howdah.migrate.history import HistoryTable

FILES, TABLE = GOLANG_MIGRATE.files, GOLANG_MIGRATE.table


def write(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name).write_text("SELECT 1;")
    return directory


def test_numbers_order_the_files_not_names(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "10_b.up.sql", "9_a.up.sql", "0011_c.up.sql"))

    assert [each.version for each in source.migrations] == ["9", "10", "11"]


def test_halves_meet_by_number_whatever_their_titles(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "1_create.up.sql", "001_drop.down.sql"))

    (only,) = source.migrations
    assert only.up == tmp_path / "1_create.up.sql"
    assert only.down == tmp_path / "001_drop.down.sql"


def test_the_title_is_greedy(tmp_path: Path) -> None:
    (only,) = FILES.read(write(tmp_path, "1_a.up.down.sql")).migrations

    assert (only.name, only.up) == ("a.up", None)


@pytest.mark.parametrize("copy", ["5_x.up.sql~", "5_x.up.sql.bak", "005_y.up.sql", "5_x.up."])
def test_two_files_for_one_half_are_refused_naming_both(tmp_path: Path, copy: str) -> None:
    write(tmp_path, "5_x.up.sql", copy)

    with pytest.raises(SourceError, match="half of version 5") as caught:
        FILES.read(tmp_path)

    assert caught.value.code == "duplicate-migration"
    assert copy in str(caught.value)
    assert "5_x.up.sql" in str(caught.value)


def test_files_with_other_names_are_left_alone_and_sql_among_them_is_told(tmp_path: Path) -> None:
    write(tmp_path, "README.md", "seed.sql", "99999999999999999999999_x.up.sql", "1_a.up.sql")
    (tmp_path / "2_folder.up.sql").mkdir()

    source = FILES.read(tmp_path)

    assert [each.version for each in source.migrations] == ["1"]
    assert sorted(Path(str(note.where)).name for note in source.notes) == [
        "99999999999999999999999_x.up.sql",
        "seed.sql",
    ]


def test_a_version_beyond_bigint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        FILES.read(write(tmp_path, f"{2**63}_x.up.sql"))

    assert caught.value.code == "version-too-large"


def test_the_largest_version_and_zero_are_taken(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, f"{2**63 - 1}_x.up.sql", "0_y.up.sql"))

    assert [each.version for each in source.migrations] == ["0", str(2**63 - 1)]


def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        FILES.read(tmp_path / "nowhere")

    assert caught.value.code == "no-migrations-directory"


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([], "000001_add.up.sql"),
        (["055_x.up.sql"], "056_add.up.sql"),
        (["999_x.up.sql"], "1000_add.up.sql"),
        (["1_x.up.sql", "2_x.up.sql"], "3_add.up.sql"),
        (["000009_x.down.sql"], "000010_add.up.sql"),
    ],
)
def test_a_new_migration_continues_the_numbers_in_their_digits(
    tmp_path: Path, there: list[str], expected: str
) -> None:
    names = FILES.new(FILES.read(write(tmp_path, *there)), "add")

    assert names == {expected: "", expected.replace(".up.", ".down."): ""}


def test_a_new_migration_continues_timestamps(tmp_path: Path) -> None:
    future = "29990101000000_x.up.sql"
    names = FILES.new(FILES.read(write(tmp_path, future)), "add")

    assert next(iter(names)) == "29990101000001_add.up.sql"


def test_lock_keys_are_those_of_the_real_tool() -> None:
    # Read back from pg_locks while golang-migrate's CLI and library held them; the last two are those before v4.15.
    keys = TABLE.lock_keys(HistoryTable("mydb", "public", "schema_migrations"))

    assert set(keys) == {616192132, 2103762914, 198905556, 482519803}
    assert list(keys) == sorted(keys)


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_lock_keys_fit_what_the_server_shows(database: str, schema: str, table: str) -> None:
    keys = TABLE.lock_keys(HistoryTable(database, schema, table))

    assert all(0 <= key < 2**32 for key in keys)


def test_every_format_is_found_by_its_name() -> None:
    assert [find_format(name).name for name in FORMAT_NAMES] == list(FORMAT_NAMES)
