"""What a source says of itself."""

from __future__ import annotations

from pathlib import Path

from howdah.migrate.migration import Migration, Source


def test_a_folder_without_migrations_is_told() -> None:
    (note,) = Source(Path("db"), ()).noting_none().notes

    assert note.code == "no-migrations"
    assert "db" in note.message


def test_nothing_is_said_of_a_folder_with_migrations() -> None:
    source = Source(Path("db"), (Migration("1", "users", Path("db/1_users.sql"), None),))

    assert source.noting_none() is source
