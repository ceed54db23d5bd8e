"""The statements that hand a history over, and their undo."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from howdah.migrate.formats import find_format
from howdah.migrate.handover import OldHistory, archive_name, is_archive, plan_handover
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Migration

TABLE = HistoryTable("app", "public", "schema_migrations")
NEW = HistoryTable("app", "public", "goose_db_version")
GOOSE = find_format("goose")
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=70)


@given(name=NAMES, taken=st.integers(0, 3))
def test_an_archives_name_fits_and_is_free(name: str, taken: int) -> None:
    table = HistoryTable("app", "public", name)
    names: set[str] = set()
    for _ in range(taken + 1):
        found = archive_name(table, GOOSE, taken=names).table
        assert found not in names
        assert len(found.encode()) <= 63
        assert is_archive(found)
        names.add(found)


def test_history_tables_are_no_archives() -> None:
    names = ("schema_migrations", "goose_db_version", "_sqlx_migrations", "users_before_lunch")
    assert not any(map(is_archive, names))


def test_the_statements_in_order(tmp_path: Path) -> None:
    file = tmp_path / "1_a.sql"
    file.write_text("-- +goose Up\n")
    archive = archive_name(TABLE, GOOSE, taken=())
    old = OldHistory(TABLE, archive, "app", (("INDEX", "schema_migrations_pkey"), ("INDEX", "other")))
    done = plan_handover(old, GOOSE, NEW, [Migration("1", "a", file, file)], user="postgres")
    lines = [line.split("(", maxsplit=1)[0].strip() for line in done.script.splitlines()]
    assert lines[:3] == [
        'LOCK TABLE "public"."schema_migrations" IN ACCESS EXCLUSIVE MODE;',
        'ALTER TABLE "public"."schema_migrations" RENAME TO "schema_migrations_before_goose";',
        'ALTER INDEX "public"."schema_migrations_pkey" RENAME TO "schema_migrations_before_goose_pkey";',
    ]
    assert lines[-1] == 'ALTER TABLE "public"."goose_db_version" OWNER TO "app";'
    assert "unnest('{1}'::bigint[])" in done.script
    assert done.undo.startswith("BEGIN;\nDO $undo$")
    assert done.undo.endswith("COMMIT;\n")
    assert 'RENAME TO "schema_migrations_pkey"' in done.undo
    assert not done.records


def test_the_side_historys_records_go_with_the_old_table(tmp_path: Path) -> None:
    old = OldHistory(TABLE, archive_name(TABLE, GOOSE, taken=()), "app", has_side_history=True)
    done = plan_handover(old, GOOSE, NEW, [], user="app")
    assert [each.sql for each in done.records] == [
        (
            'UPDATE howdah.history SET history = \'"public"."schema_migrations_before_goose"\''
            ' WHERE history = \'"public"."schema_migrations"\''
        )
    ]
