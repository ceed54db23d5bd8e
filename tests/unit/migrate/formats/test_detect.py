"""Whose migrations a folder holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from howdah.errors import ConfigError
from howdah.migrate.create import create_migration
from howdah.migrate.discover import find_migrations
from howdah.migrate.formats import DEFAULT_FORMAT, FORMAT_NAMES, all_formats
from howdah.migrate.formats.detect import SHAPES, detect_format
from howdah.migrate.formats.interface import Format

GOOSE = "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"
DBMATE = "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def detect(folder: Path) -> str:
    return detect_format(folder, default="nothing").format


def test_every_format_has_a_shape() -> None:
    assert set(SHAPES) == set(FORMAT_NAMES)


@pytest.mark.parametrize(
    "format", [each for each in all_formats() if each.name != "alembic"], ids=lambda each: each.name
)
def test_what_a_format_writes_is_taken_for_its_own(format: Format, tmp_path: Path) -> None:
    create_migration(tmp_path, "first", format=format)

    assert detect(tmp_path) == format.name


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "nothing"),
        ({"README.md": "", "seed.sql": "SELECT 1;"}, "nothing"),
        ({"1_a.up.sql": "", "1_a.down.sql": ""}, "golang-migrate"),
        ({"001_users.sql": "CREATE TABLE a ();"}, "sqlx"),
        ({"001_users.sql": GOOSE}, "goose"),
        ({"001_users.sql": GOOSE.replace("\n", "\r\n")}, "goose"),
        ({"20230101_users.sql": DBMATE}, "dbmate"),
        ({"V1__a.sql": "", "R__views.sql": ""}, "flyway"),
        ({"20240101000000_init/migration.sql": "SELECT 1;"}, "prisma"),
        ({"migration_lock.toml": 'provider = "postgresql"'}, "prisma"),
        ({"env.py": "", "versions/a_first.py": ""}, "alembic"),
        ({"alembic.ini": "[alembic]"}, "alembic"),
        ({"1700000000000-Init.ts": ""}, "typeorm"),
        ({"Init1700000000000.js": ""}, "typeorm"),
    ],
)
def test_files_speak_for_a_format(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    assert detect(write(tmp_path, files)) == expected


def test_pairs_are_sqlx_where_the_project_says_so(tmp_path: Path) -> None:
    folder = write(tmp_path / "crate" / "migrations", {"1_a.up.sql": "", "1_a.down.sql": ""})
    write(tmp_path / "crate", {"Cargo.toml": '[dependencies]\nsqlx = { version = "0.8" }\n'})

    reading = detect_format(folder, default="nothing")

    assert reading.format == "sqlx"
    assert "Cargo.toml names sqlx" in reading.evidence


def test_a_cargo_file_of_another_project_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, {"Cargo.toml": '[dependencies]\nsqlx = "0.8"\n'})
    folder = write(tmp_path / "inner", {"1_a.up.sql": "", ".git/HEAD": ""})

    assert detect(folder) == "golang-migrate"


def test_files_that_speak_for_two_formats_are_refused_naming_both(tmp_path: Path) -> None:
    folder = write(tmp_path, {"001_a.up.sql": GOOSE, "002_b.up.sql": "SELECT 1;"})

    with pytest.raises(ConfigError) as caught:
        detect(folder)

    assert caught.value.code == "ambiguous-format"
    assert "goose" in caught.value.message
    assert "golang-migrate" in caught.value.message
    assert "001_a.up.sql says '-- +goose'" in str(caught.value.why)


def test_a_stray_script_beside_folders_of_prisma_speaks_for_nobody(tmp_path: Path) -> None:
    lock = 'provider = "postgresql"'
    folder = write(tmp_path, {"migration_lock.toml": lock, "2_stray.sql": "", "1_a/migration.sql": ""})

    assert detect(folder) == "prisma"


def test_sql_migrate_is_named_and_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sql-migrate"):
        detect(write(tmp_path, {"1-a.sql": "-- +migrate Up\nSELECT 1;\n"}))


@pytest.mark.parametrize(
    "format", [each for each in all_formats() if each.name != "alembic"], ids=lambda each: each.name
)
def test_the_one_folder_of_migrations_is_found(format: Format, tmp_path: Path) -> None:
    folder = tmp_path / "backend" / "db" / "changes"
    folder.mkdir(parents=True)
    create_migration(folder, "first", format=format)

    assert find_migrations(tmp_path) == folder


def test_plain_numbered_files_count_only_where_nothing_else_does(tmp_path: Path) -> None:
    write(tmp_path / "scripts", {"001_seed.sql": "SELECT 1;"})
    assert find_migrations(tmp_path) == tmp_path / "scripts"

    write(tmp_path / "migrations", {"1_a.up.sql": ""})
    assert find_migrations(tmp_path) == tmp_path / "migrations"


def test_nothing_found_is_told_with_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_migrations(tmp_path)

    assert caught.value.code == "no-migrations-directory"
    assert DEFAULT_FORMAT == "golang-migrate"


def test_what_adopt_wrote_beside_the_migrations_is_not_where_they_are(tmp_path: Path) -> None:
    for name in ("migrations", "migrations-golang-migrate"):
        (tmp_path / name).mkdir()
    (tmp_path / "migrations" / "1_users.sql").write_text("-- +goose Up\n")
    (tmp_path / "migrations-golang-migrate" / "1_users.up.sql").write_text("")

    assert find_migrations(tmp_path, made_for="golang-migrate") == tmp_path / "migrations"
    with pytest.raises(ConfigError, match="several folders"):
        find_migrations(tmp_path)


def test_a_forgotten_annotation_is_named(tmp_path: Path) -> None:
    (tmp_path / "1_users.sql").write_text("-- +goose Up\n")
    (tmp_path / "2_teams.sql").write_text("CREATE TABLE teams (id int);\n")

    with pytest.raises(ConfigError) as caught:
        detect_format(tmp_path, default="golang-migrate")

    assert "2_teams.sql" in (caught.value.why or "")
    assert "Write `-- +goose Up` into the file where it was forgotten; or say" in (caught.value.fix or "")
    assert caught.value.next == (
        "howdah migrate status --format goose",
        "howdah migrate status --format sqlx",
    )


def test_a_pipe_among_the_files_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(write(tmp_path, {"1_a.up.sql": "", "1_a.down.sql": ""}) / "2_b.up.sql")

    assert detect(tmp_path) == "golang-migrate"
