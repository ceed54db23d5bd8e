"""The names that a script makes, by which a person sees how far it came."""

from __future__ import annotations

from pathlib import Path

from howdah.migrate.formats.golang_migrate import GOLANG_MIGRATE
from howdah.migrate.migration import Direction, Migration, Step
from howdah.migrate.script import load_script
from howdah.migrate.traces import names_made_by


def test_relations_that_a_script_creates_are_named_once_as_written(tmp_path: Path) -> None:
    path = tmp_path / "1_x.up.sql"
    path.write_text(
        "-- a comment\nCREATE TABLE IF NOT EXISTS app.users (id int);\n"
        'create unique index concurrently if not exists "Odd ""name" on users (id);\n'
        "CREATE INDEX ON users (id); CREATE MATERIALIZED VIEW counts AS SELECT 1; CREATE SEQUENCE s;"
        "CREATE OR REPLACE VIEW v AS SELECT 1; CREATE FUNCTION f() RETURNS int RETURN 1; CREATE TABLE app.users ();"
    )

    assert names_made_by(
        load_script(GOLANG_MIGRATE, Step(Migration("1", "x", path), Direction.UP, None, "1"))
    ) == ("app.users", '"Odd ""name"', "counts", "s", "v")
