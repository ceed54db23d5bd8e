"""`howdah check` as it is typed, with a rehearsal on the tests' server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fix_cli import Cli
from fix_git import GitRepository
from fix_server import RunningServer
from howdah.config.url import format_url

_PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "json.md"


@pytest.fixture
def project(server: RunningServer, tmp_path: Path, cli: Cli) -> Cli:
    """An empty project, whose migrations run on the tests' server."""
    (tmp_path / "migrations").mkdir()
    cli.environ["HOWDAH_REHEARSE_URL"] = format_url(server.address, show_password=True)
    return cli


def test_a_schema_that_setup_makes_is_there(project: Cli, tmp_path: Path) -> None:
    (tmp_path / "howdah.toml").write_text(
        '[database.shop]\nmigrations = "migrations"\n[database.shop.setup]\nschemas = ["audit"]\n'
    )
    (tmp_path / "migrations" / "1_log.up.sql").write_text("CREATE TABLE audit.log (id bigint);\n")
    (tmp_path / "migrations" / "1_log.down.sql").write_text("DROP TABLE audit.log;\n")

    ran = project("check", "--base", "none")

    assert ran.code == 0, ran
    assert "schema and data" in ran.stdout


def test_what_a_released_file_allows_is_not_allowed_in_vain(
    repository: GitRepository, server: RunningServer
) -> None:
    address = format_url(server.address, show_password=True)
    drop = "-- howdah: allow drops-column nobody reads it\nALTER TABLE a DROP COLUMN m;\n"
    repository.commit({"1_a.up.sql": "CREATE TABLE a (n int, m int);\n", "2_b.up.sql": drop})
    repository.git("checkout", "-q", "-b", "work")
    repository.write({"3_c.up.sql": "CREATE TABLE c (n int);\n"})

    ran = Cli(repository.root, {"HOWDAH_REHEARSE_URL": address})("check")

    assert ran.code == 0, ran
    assert "unused-allow" not in ran.stderr


def test_steps_are_proved_behind_files_with_variables(project: Cli, tmp_path: Path) -> None:
    (tmp_path / "howdah.toml").write_text(
        '[database.shop]\nmigrations = "migrations"\nformat = "goose"\nvariables = {WHO = "alice"}\n'
    )
    (tmp_path / "migrations" / "00001_a.sql").write_text(
        "-- +goose ENVSUB ON\n-- +goose Up\nCREATE TABLE a (id bigint, who text DEFAULT '${WHO}');\n"
    )
    (tmp_path / "migrations" / "00002_b.sql").write_text("-- +goose Up\nCREATE INDEX ON a (who);\n")

    ran = project("check", "--base", "none", "--output", "json")

    (found,) = [each for each in findings(ran.json) if each["code"] == "index-build-blocks-writes"]
    assert [each["verdict"] for each in found["steps"]] == ["long"], ran


def test_the_page_names_every_field(project: Cli, tmp_path: Path) -> None:
    for name, up, down in [
        ("1_a", "CREATE TABLE a (id bigint PRIMARY KEY, who text);", "DROP TABLE a;"),
        ("2_b", "CREATE INDEX ON a (who); ALTER TABLE a RENAME who TO owner;", "SELECT 1;"),
    ]:
        (tmp_path / "migrations" / f"{name}.up.sql").write_text(f"{up}\n")
        (tmp_path / "migrations" / f"{name}.down.sql").write_text(f"{down}\n")

    ran = project("check", "--base", "none", "--output", "json")

    text = _PAGE.read_text()
    assert not {each for each in keys(ran.json) if f"`{each}`" not in text and f".{each}`" not in text}


def findings(ran: Any) -> Iterator[Any]:
    for migration in ran["data"]["databases"][0]["migrations"]:
        yield from migration["findings"]
        for statement in migration["statements"]:
            yield from statement["findings"]


def keys(value: Any) -> Iterator[str]:
    """The names of all fields, however deep."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from keys(each)
