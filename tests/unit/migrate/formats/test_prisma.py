"""Prisma's folders, order and checksums: what its own source says, and what it did with these names."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import ConfigError, SourceError
from howdah.migrate.formats.prisma import PrismaFiles, PrismaTable
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction

FILES = PrismaFiles()


def write(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name).mkdir()
        (directory / name / "migration.sql").write_text("SELECT 1;\n")
    return directory


def test_each_folder_is_a_migration_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, "20240102000000_second_one", "20240101000000_init")
    (tmp_path / "migration_lock.toml").write_text('# written by a tool\nprovider = "postgresql"\n')
    (tmp_path / "README.md").touch()

    source = FILES.read(tmp_path)

    assert [(each.version, each.name, each.up, each.down) for each in source.migrations] == [
        ("20240101000000_init", "init", tmp_path / "20240101000000_init/migration.sql", None),
        (
            "20240102000000_second_one",
            "second_one",
            tmp_path / "20240102000000_second_one/migration.sql",
            None,
        ),
    ]
    assert source.notes == ()


# Sorted by Node's localeCompare, which Prisma uses.
IN_ORDER = [
    "_x",
    "-x",
    "!x",
    "(x",
    "0_init",
    "01_x",
    "20240101_a",
    "20240101_A",
    "20240101_á",
    "20240101_B",
    "a",
    "é",
    "z",
]


def test_the_order_is_that_of_people_not_of_bytes() -> None:
    assert sorted(set(IN_ORDER), key=FILES.sort_key) == IN_ORDER


@given(st.lists(st.text(), unique=True))
def test_different_names_are_never_equal(names: list[str]) -> None:
    assert len({FILES.sort_key(each) for each in names}) == len(names)


@given(st.lists(st.integers(0, 10**14 - 1), unique=True, min_size=2, max_size=2))
def test_timestamps_decide(times: list[int]) -> None:
    one, two = (f"{each:014}_x" for each in times)

    assert (FILES.sort_key(one) < FILES.sort_key(two)) is (times[0] < times[1])


@pytest.mark.parametrize("provider", ['provider = "mysql"', 'provider="postgresql"', "other = 1", ""])
def test_migrations_of_another_database_are_refused_as_prisma_reads_the_line(
    tmp_path: Path, provider: str
) -> None:
    (tmp_path / "migration_lock.toml").write_text(provider)

    with pytest.raises(SourceError) as caught:
        FILES.read(tmp_path)

    assert caught.value.code == "other-provider"


def test_a_folder_without_a_script_is_refused(tmp_path: Path) -> None:
    (tmp_path / "20240101000000_empty").mkdir()

    with pytest.raises(SourceError, match="20240101000000_empty") as caught:
        FILES.read(tmp_path)

    assert caught.value.code == "missing-up-file"


def test_a_script_beside_the_folders_is_told(tmp_path: Path) -> None:
    (tmp_path / "seed.sql").touch()

    assert [each.code for each in FILES.read(tmp_path).notes] == ["ignored-file"]


def test_a_name_longer_than_the_column_is_refused(tmp_path: Path) -> None:
    assert FILES.read(write(tmp_path, "x" * 255)).migrations[0].version == "x" * 255


def test_the_timestamp_is_enough_where_only_one_folder_has_it(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "20240101000000_a", "20240102000000_b", "20240102000000_c"))

    assert FILES.parse_version("20240101000000", source) == "20240101000000_a"
    assert FILES.parse_version("20240101000000_a/", source) == "20240101000000_a"
    assert FILES.parse_version("2024", source) == "2024"
    with pytest.raises(ConfigError, match="beginning of 2"):
        FILES.parse_version("20240102000000", source)
    for text in ("", "/", "a/b"):
        with pytest.raises(ConfigError):
            FILES.parse_version(text, source)


def test_a_new_migration_is_a_folder_and_the_first_one_names_the_provider(tmp_path: Path) -> None:
    first = FILES.new(FILES.read(tmp_path), "init")
    (tmp_path / "migration_lock.toml").write_text(first["migration_lock.toml"])
    write(tmp_path, "29990101000000_far")

    assert FILES.new(FILES.read(tmp_path), "next") == {"29990101000001_next/migration.sql": ""}


def test_there_is_no_way_down() -> None:
    assert FILES.read_body(Path("migration.sql"), "SELECT 1", Direction.DOWN).is_missing
    assert not FILES.read_body(Path("migration.sql"), "SELECT 1", Direction.UP).is_missing


def test_a_checksum_is_the_one_that_prisma_wrote() -> None:
    # Read back from _prisma_migrations after `prisma migrate deploy` (6.19.3).
    raw = b"CREATE TABLE a(id int);\nCREATE TABLE b(id int);\n"
    assert FILES.checksum(raw) == "ef8d3303661b3ae20147ee4c671fdcce746ec889148c6c3b4a1623369eafe153"


@given(st.binary())
def test_a_checksum_fills_the_column(raw: bytes) -> None:
    assert FILES.checksum(raw) == hashlib.sha256(raw).hexdigest()
    assert len(FILES.checksum(raw)) == 64


def test_the_lock_key_is_prismas() -> None:
    assert PrismaTable().lock_keys(HistoryTable("any", "any", "any")) == (72707369,)
