"""`howdah migrate repair` as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fix_cli import Cli
from howdah.config.database import DatabaseConfig
from howdah.config.url import format_url

BODY = "CREATE TABLE users (id int);\n"


@pytest.fixture
def arguments(database: DatabaseConfig, tmp_path: Path, cli: Cli) -> tuple[str, ...]:
    """Two files of sqlx, applied."""
    (tmp_path / "1_users.sql").write_text(BODY)
    (tmp_path / "2_posts.sql").write_text(BODY.replace("users", "posts"))
    given = ("--url", format_url(database, show_password=True), "--dir", str(tmp_path))
    assert cli("migrate", "up", *given).code == 0
    return given


def test_what_says_the_same_is_taken_and_what_does_not_is_shown(
    cli: Cli, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "1_users.sql").write_text("-- people\n" + BODY)
    (tmp_path / "2_posts.sql").write_text(BODY.replace("users", "posts").replace("int", "bigint"))
    assert cli("migrate", "up", *arguments).code == 4

    shown = cli("migrate", "repair", "--dry-run", *arguments)
    done = cli("migrate", "repair", *arguments)

    assert (shown.code, done.code) == (1, 1)
    assert "its checksum would be taken" in shown.stdout
    assert "1 reformatted:" in done.stdout
    assert "its new checksum is taken" in done.stdout
    assert "  -CREATE TABLE posts (id int);" in done.stdout
    assert "  +CREATE TABLE posts (id bigint);" in done.stdout
    assert "`howdah migrate repair --accept 2` takes it" in done.stdout

    taken = cli("migrate", "repair", "--accept", "2", "--json", *arguments)

    assert taken.code == 0, taken
    assert [(each["version"], each["repaired"]) for each in taken.json["data"]["edited"]] == [("2", True)]
    assert cli("migrate", "up", *arguments).code == 0
    assert "no applied migration is edited" in cli("migrate", "repair", *arguments).stdout
