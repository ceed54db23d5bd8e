"""`howdah check` of migrations that are programs."""

from __future__ import annotations

from pathlib import Path

from fix_alembic import make_project
from fix_cli import Cli
from fix_server import RunningServer
from howdah.config.url import format_url


def test_what_nobody_saw_a_revision_do_is_not_called_safe(
    server: RunningServer, tmp_path: Path, cli: Cli
) -> None:
    cli.environ["HOWDAH_REHEARSE_URL"] = format_url(server.address, show_password=True)
    project = make_project(tmp_path)
    project.revision("a1", None, 'op.create_table("a", sa.Column("n", sa.Integer))', 'op.drop_table("a")')
    project.revision("b2", "a1", 'op.create_index("a_n", "a", ["n"])', 'op.drop_index("a_n")')

    ran = cli("check", "--base", "none", "--output", "json")

    (database,) = ran.json["data"]["databases"]
    assert [each["verdict"] for each in database["migrations"]] == ["unknown", "unknown"]
    assert [each["reversible"] for each in database["migrations"]] == ["schema and data"] * 2
    assert {each["code"] for each in ran.json["problems"]} == {"not-observed"}
