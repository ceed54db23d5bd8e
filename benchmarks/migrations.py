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


def write_sqlx(directory: Path, count: int) -> Path:
    """Files that only go forward, as sqlx reads them."""
    directory.mkdir()
    for number in range(1, count + 1):
        (directory / f"{number:05d}_create_{table_name(number)}.sql").write_text(up_sql(number))
    return directory


def write_dbmate(directory: Path, count: int) -> Path:
    """One file for both directions, as dbmate reads them."""
    directory.mkdir()
    for number in range(1, count + 1):
        body = f"-- migrate:up\n{up_sql(number)}\n-- migrate:down\n{down_sql(number)}"
        (directory / f"{number:05d}_create_{table_name(number)}.sql").write_text(body)
    return directory


def write_alembic(directory: Path, count: int) -> Path:
    """Alembic's configuration, an env.py as its template has it, and a chain of revisions."""
    versions = directory / "versions"
    versions.mkdir(parents=True)
    (directory / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\nsqlalchemy.url =\n")
    (directory / "env.py").write_text(_ENV_PY)
    for number in range(1, count + 1):
        previous = f"'r{number - 1:05d}'" if number > 1 else "None"
        (versions / f"r{number:05d}_create_{table_name(number)}.py").write_text(
            f"from alembic import op\n\nrevision = 'r{number:05d}'\ndown_revision = {previous}\n"
            f"branch_labels = None\ndepends_on = None\n\n\ndef upgrade():\n    op.execute({up_sql(number)!r})\n\n\n"
            f"def downgrade():\n    op.execute({down_sql(number)!r})\n"
        )
    return directory


_ENV_PY = """\
import os

from alembic import context
from sqlalchemy import create_engine, pool

url = context.config.get_main_option("sqlalchemy.url") or os.environ["ALEMBIC_URL"]
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
