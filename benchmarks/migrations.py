"""Realistic little migrations, the same ones in each tool's own format."""

from __future__ import annotations

from pathlib import Path

_NOUNS = ("account", "board", "card", "comment", "invoice", "label", "member", "message", "project", "token")


def table_name(number: int) -> str:
    return f"{_NOUNS[number % len(_NOUNS)]}_{number}"


def up_sql(number: int) -> str:
    return f"""CREATE TABLE {table_name(number)} (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id    uuid NOT NULL,
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now()
);
"""


def down_sql(number: int) -> str:
    return f"DROP TABLE {table_name(number)};\n"


def write_golang_migrate(directory: Path, count: int) -> Path:
    """Pairs of files, as golang-migrate and howdah read them."""
    directory.mkdir()
    for number in range(1, count + 1):
        stem = f"{number:06d}_create_{table_name(number)}"
        (directory / f"{stem}.up.sql").write_text(up_sql(number))
        (directory / f"{stem}.down.sql").write_text(down_sql(number))
    return directory


def write_goose(directory: Path, count: int) -> Path:
    """One file for both directions, as goose reads them."""
    directory.mkdir()
    for number in range(1, count + 1):
        body = f"-- +goose Up\n{up_sql(number)}\n-- +goose Down\n{down_sql(number)}"
        (directory / f"{number:05d}_create_{table_name(number)}.sql").write_text(body)
    return directory
