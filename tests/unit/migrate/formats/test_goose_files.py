"""goose's file names: what its own source says, and what its programs were seen to do."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from howdah.errors import ConfigError, SourceError
from howdah.migrate.formats.goose import GOOSE
from howdah.migrate.formats.interface import Transaction
from howdah.migrate.migration import Direction

FILES = GOOSE.files
BODY = "-- +goose Up\nSELECT 1;\n"


def write(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name).write_text(BODY)
    return directory


def test_numbers_order_the_files_not_names(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "10_b.sql", "9_a.sql", "0011_c.sql", "+12_d.sql", "13_.sql"))

    assert [each.version for each in source.migrations] == ["9", "10", "11", "12", "13"]
    assert [each.name for each in source.migrations] == ["a", "b", "c", "d", ""]
    assert source.notes == ()


def test_one_file_goes_both_ways(tmp_path: Path) -> None:
    (only,) = FILES.read(write(tmp_path, "1_a_b.c.sql")).migrations

    assert only.up == only.down == tmp_path / "1_a_b.c.sql"
    assert only.name == "a_b.c"


@pytest.mark.parametrize("other", ["005_y.sql", "+5_y.sql", "5_x.go"])
def test_two_files_of_one_version_are_refused_naming_both(tmp_path: Path, other: str) -> None:
    with pytest.raises(SourceError, match="version 5") as caught:
        FILES.read(write(tmp_path, "5_x.sql", other))

    assert caught.value.code == "duplicate-migration"
    assert "5_x.sql" in str(caught.value)
    assert other in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        *("schema.sql", "0_x.sql", "-1_x.sql", "1.sql", "v1_x.sql", " 1_x.sql", "1-x.sql", "_x.sql", ".sql"),
        *("._1_x.sql", f"{2**63}_x.sql", "1e3_x.sql", "0x1_x.sql", "\u0661_x.sql", "1000.sql"),
    ],
)
def test_a_name_that_stops_goose_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError) as caught:
        FILES.read(write(tmp_path, "1_a.sql", name))

    assert caught.value.code == "bad-migration-name"
    assert str(caught.value.where) == str(tmp_path / name)


def test_an_underscore_ends_the_number(tmp_path: Path) -> None:
    (only,) = FILES.read(write(tmp_path, "1_000_x.sql")).migrations

    assert (only.version, only.name) == ("1", "000_x")


def test_the_largest_version_is_taken(tmp_path: Path) -> None:
    (only,) = FILES.read(write(tmp_path, f"{2**63 - 1}_x.sql")).migrations

    assert only.version == str(2**63 - 1)


def test_go_files_with_a_number_are_foreign_and_others_are_no_migrations(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "1_a.sql", "2_b.go", "2_b_test.go", "migrations.go", "x_y.go"))

    assert [(each.version, each.foreign) for each in source.migrations] == [("1", ""), ("2", "a Go function")]
    assert source.migrations[1].up == tmp_path / "2_b.go"
    assert source.notes == ()


def test_other_files_are_left_alone_and_sql_in_capitals_is_told(tmp_path: Path) -> None:
    write(tmp_path, "README.md", "1_a.sql", "2_b.SQL", "3_c.sql.bak", "embed.go")
    (tmp_path / "folder").mkdir()

    source = FILES.read(tmp_path)

    assert [each.version for each in source.migrations] == ["1"]
    assert [Path(str(note.where)).name for note in source.notes] == ["2_b.SQL"]


def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        FILES.read(tmp_path / "nowhere")

    assert caught.value.code == "no-migrations-directory"


def test_a_link_to_nowhere_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").symlink_to(tmp_path / "gone")

    with pytest.raises(SourceError) as caught:
        FILES.read(tmp_path)

    assert caught.value.code == "broken-link"


def test_a_name_that_is_no_unicode_can_be_shown(tmp_path: Path) -> None:
    (Path(os.fsdecode(bytes(tmp_path) + b"/1_\xff.sql"))).write_text(BODY)

    assert [each.name for each in FILES.read(tmp_path).migrations] == ["\ufffd"]


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (["1_x.sql"], "00002_add.sql"),
        (["00041_x.sql"], "00042_add.sql"),
        (["99999_x.sql"], "100000_add.sql"),
        (["20209999999999_x.sql"], "20210000000000_add.sql"),  # no day of any calendar
        (["29991231235959_x.sql"], "30000101000000_add.sql"),
    ],
)
def test_a_new_file_continues_what_is_there(tmp_path: Path, there: list[str], expected: str) -> None:
    assert list(FILES.new(FILES.read(write(tmp_path, *there)), "add")) == [expected]


@pytest.mark.parametrize("there", [[], ["00001_x.sql", "20200101000000_y.sql"]])
def test_a_new_file_is_otherwise_named_by_the_time_in_utc(tmp_path: Path, there: list[str]) -> None:
    (name,) = FILES.new(FILES.read(write(tmp_path, *there)), "add")

    found = re.fullmatch(r"(\d{14})_add\.sql", name)
    assert found
    age = datetime.now(UTC) - datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    assert abs(age.total_seconds()) < 60


def test_a_new_file_is_in_snake_case_and_runs_as_it_is(tmp_path: Path) -> None:
    ((name, text),) = FILES.new(FILES.read(write(tmp_path, "1_x.sql")), "Add users' Größe, now!").items()

    assert name == "00002_add_users_größe_now.sql"
    for direction in Direction:
        body = FILES.read_body(tmp_path / name, text, direction)
        assert (body.text, body.is_missing) == ("", False)
        assert body.transaction is Transaction.ALWAYS


@pytest.mark.parametrize(("typed", "version"), [("7", "7"), ("007", "7"), ("+7", "7"), ("0", "0")])
def test_a_version_has_one_form(typed: str, version: str, tmp_path: Path) -> None:
    assert FILES.parse_version(typed, FILES.read(tmp_path)) == version


def test_what_is_no_number_is_no_version(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        FILES.parse_version("init", FILES.read(tmp_path))
