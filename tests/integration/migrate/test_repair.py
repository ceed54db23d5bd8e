"""Edited files: told apart by whether they mean the same, and taken for what was applied where that is safe or said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.errors import HistoryMismatch, SourceError
from howdah.migrate.formats import find_format
from howdah.migrate.migrator import Migrator
from howdah.migrate.status import Change

BODY = "-- the users\nCREATE TABLE users (\n    id int\n);\n"
FORMATS = ("golang-migrate", "goose", "sqlx", "dbmate", "flyway", "prisma")

# What a format, or its tool's checksum, does not see in the first place: (format, line ends or not).
UNSEEN = {("flyway", True), ("goose", True), ("goose", False)}


def write(directory: Path, format: str, body: str) -> Path:
    """One migration of this format with this body; its file."""
    text = {
        "goose": f"-- +goose Up\n{body}-- +goose Down\nDROP TABLE users;\n",
        "dbmate": f"-- migrate:up\n{body}-- migrate:down\nDROP TABLE users;\n",
    }.get(format, body)
    name = {
        "golang-migrate": "1_users.up.sql",
        "flyway": "V1__users.sql",
        "prisma": "20240101000000_users/migration.sql",
    }.get(format, "1_users.sql")
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    return path


def checksums(database: DatabaseConfig, format: str) -> list[object]:
    table, column = {
        "sqlx": ("_sqlx_migrations", "encode(checksum, 'hex')"),
        "flyway": ("flyway_schema_history", "checksum::text"),
        "prisma": ("_prisma_migrations", "checksum"),
    }[format]
    with connect(database) as connection:
        return [value for (value,) in connection.execute(f"SELECT {column} FROM {table}".encode())]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "same",
    [
        BODY.replace("\n", "\r\n"),
        BODY.replace("-- the users\n", "-- all the people\n\n"),
        BODY.replace("    id", "  id"),
    ],
    ids=["line ends", "comments", "white space"],
)
def test_a_file_that_says_the_same_is_told_and_taken(
    format: str, same: str, database: DatabaseConfig, tmp_path: Path
) -> None:
    path = write(tmp_path, format, BODY)
    run = Migrator(database=database, directory=tmp_path, format=format)
    run.up()
    write(tmp_path, format, same)
    assert run.up() == []

    found = run.repair(dry_run=True)
    if not found:
        assert (format, same.count("\r") > 0) in UNSEEN
        return
    (told,) = found
    assert (told.change, told.is_accepted, told.file) == (Change.REFORMATTED, True, path)
    assert told.diff is not None
    assert any(line.startswith("-") for line in told.diff)
    assert len(run.repair()) == 1

    assert run.repair() == ()
    assert [entry.change for entry in run.status().entries] == [None]
    expected = find_format(format).files.checksum(path.read_bytes())
    if expected is not None:
        assert checksums(database, format) == [expected]


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_says_something_else_is_taken_only_by_name(
    format: str, database: DatabaseConfig, tmp_path: Path
) -> None:
    write(tmp_path, format, BODY)
    run = Migrator(database=database, directory=tmp_path, format=format)
    run.up()
    version = run.status().entries[0].version
    write(tmp_path, format, BODY.replace("id int", "id bigint"))
    if find_format(format).table.refuses_changes:
        with pytest.raises(HistoryMismatch) as caught:
            run.up()
        assert caught.value.code == "modified-migration"
    else:
        assert run.up() == []

    (told,) = run.repair()
    assert (told.change, told.is_accepted) == (Change.MODIFIED, False)
    assert told.diff is not None
    assert "+    id bigint" in told.diff
    assert "-    id int" in told.diff
    assert len(run.repair()) == 1

    (taken,) = run.repair(accept=[version])

    assert taken.is_accepted
    assert run.repair() == ()
    assert run.up() == []


def test_a_version_that_is_not_edited_cannot_be_accepted(database: DatabaseConfig, tmp_path: Path) -> None:
    write(tmp_path, "sqlx", BODY)
    run = Migrator(database=database, directory=tmp_path, format="sqlx")
    run.up()

    with pytest.raises(SourceError) as caught:
        run.repair(accept=["1"])

    assert caught.value.code == "not-edited"


def test_what_the_tool_applied_is_compared_by_its_own_checksum(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    """Without a side history nobody knows what the file said; line ends can be told all the same."""
    write(tmp_path, "sqlx", BODY)
    run = Migrator(database=database, directory=tmp_path, format="sqlx")
    run.up()
    with connect(database) as connection:
        connection.execute("DROP SCHEMA howdah CASCADE")
    write(tmp_path, "sqlx", BODY.replace("\n", "\r\n"))
    (told,) = run.repair(dry_run=True)
    assert (told.change, told.diff) == (Change.REFORMATTED, None)

    write(tmp_path, "sqlx", BODY.replace("users", "people"))
    (told,) = run.repair(dry_run=True)
    assert (told.change, told.diff, told.is_accepted) == (Change.MODIFIED, None, False)


def test_what_was_found_as_the_tool_applied_it_is_told_from_a_reformatted_file(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    run = Migrator(database=database, directory=tmp_path, format="sqlx")
    write(tmp_path, "sqlx", BODY)
    run.up()
    with connect(database) as connection:
        connection.execute("DROP SCHEMA howdah CASCADE")
    (tmp_path / "2_more.sql").write_text("SELECT 1;\n")
    run.up()

    write(tmp_path, "sqlx", BODY + "-- a comment\n")
    (told,) = run.repair(dry_run=True)
    assert (told.change, told.is_accepted) == (Change.REFORMATTED, True)

    write(tmp_path, "sqlx", BODY.replace("users", "people"))
    (told,) = run.repair(dry_run=True)
    assert (told.change, told.is_accepted) == (Change.MODIFIED, False)


def test_what_was_edited_before_it_was_found_is_not_taken_for_what_was_applied(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    run = Migrator(database=database, directory=tmp_path, format="prisma")
    write(tmp_path, "prisma", BODY)
    run.up()
    with connect(database) as connection:
        connection.execute("DROP SCHEMA howdah CASCADE")
    write(tmp_path, "prisma", BODY.replace("users", "people"))
    later = tmp_path / "20300101000000_later"
    later.mkdir()
    (later / "migration.sql").write_text("SELECT 1;\n")
    run.up()

    write(tmp_path, "prisma", BODY.replace("users", "people") + "-- a comment\n")
    (told,) = run.repair(dry_run=True)
    assert (told.change, told.diff, told.is_accepted) == (Change.MODIFIED, None, False)


def test_values_of_variables_are_not_kept(database: DatabaseConfig, tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_text(
        "-- +goose Up\n-- +goose ENVSUB ON\nCREATE TABLE a (b text DEFAULT '${WORD}');\n-- +goose ENVSUB OFF\n"
    )
    run = Migrator(database=database, directory=tmp_path, format="goose", variables={"WORD": "hush-hush"})
    run.up()

    with connect(database) as connection:
        rows = connection.execute("SELECT body FROM howdah.history").fetchall()
        default = connection.execute(
            "SELECT column_default FROM information_schema.columns WHERE table_name = 'a'"
        )
        assert "hush-hush" in str(default.fetchone())
    assert "hush-hush" not in str(rows)
    assert "${WORD}" in str(rows)
    assert replace(run, variables={"WORD": "another"}).repair(dry_run=True) == ()
