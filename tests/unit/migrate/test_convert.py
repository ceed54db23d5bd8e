"""convert: from one tool's files to another's, each pitfall of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.errors import SourceError, UnsupportedError
from howdah.migrate.convert import WRITERS, Conversion, convert
from howdah.migrate.formats import find_format
from howdah.migrate.formats.interface import Format
from howdah.migrate.migration import Direction, Source, Step
from howdah.migrate.script import Execution, load_script

GOLANG_MIGRATE = find_format("golang-migrate")


def written(directory: Path, files: Mapping[str, str | bytes], format: Format) -> Source:
    directory.mkdir(exist_ok=True, parents=True)
    for name, body in files.items():
        (directory / name).write_bytes(body if isinstance(body, bytes) else body.encode())
    return format.files.read(directory)


def converted(
    tmp_path: Path, files: Mapping[str, str | bytes], *, start: str = "golang-migrate", to: str = "goose"
) -> Conversion:
    old = find_format(start)
    return convert(old, written(tmp_path / "old", files, old), find_format(to))


def statements(format: Format, source: Source) -> list[tuple[str, str, Execution, list[str]]]:
    """What each half would run, as its own format reads it."""
    found = []
    for migration in source.migrations:
        for direction in Direction:
            if migration.file(direction):
                try:
                    script = load_script(format, Step(migration, direction, None, None))
                except SourceError as error:
                    if not error.code.startswith("missing-"):
                        raise
                    continue
                texts = [each.text for each in script.statements]
                found.append((migration.version, direction.value, script.execution, texts))
    return found


def test_a_pair_becomes_one_annotated_file(tmp_path: Path) -> None:
    files = converted(
        tmp_path, {"0007_a b.up.sql": "CREATE TABLE a ();", "0007_a b.down.sql": "DROP TABLE a"}
    )
    assert files.files == {
        "0007_a b.sql": "-- +goose Up\nCREATE TABLE a ();\n\n-- +goose Down\nDROP TABLE a;\n"
    }


def test_a_missing_down_half_is_left_out(tmp_path: Path) -> None:
    assert converted(tmp_path, {"1_a.up.sql": "SELECT 1"}).files["1_a.sql"] == "-- +goose Up\nSELECT 1;\n"


def test_a_lonely_down_half_gets_an_up_half_that_does_nothing(tmp_path: Path) -> None:
    found = converted(tmp_path, {"1_a.down.sql": "DROP TABLE a"})
    assert found.files["1_a.sql"] == "-- +goose Up\n-- nothing to do\n\n-- +goose Down\nDROP TABLE a;\n"
    assert [note.code for note in found.notes] == ["missing-up-file"]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND\n$$",
        "DO $$ BEGIN\n  NULL;\nEND $$",
        "SELECT 'a -- b'",
        "CREATE TABLE a (\n  i int, -- one;\n  j text DEFAULT ';\n'\n)",
        "INSERT INTO a VALUES ('x;\ny')",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n  SELECT 1;\nEND",
        "SELECT 1 /* a;\nb */ + 2",
    ],
)
def test_what_goose_would_split_goes_into_a_block(tmp_path: Path, statement: str) -> None:
    text = converted(tmp_path, {"1_a.up.sql": f"SELECT 0;\n{statement};\nSELECT 2;"}).files["1_a.sql"]
    assert text == (
        f"-- +goose Up\nSELECT 0;\n-- +goose StatementBegin\n{statement};\n-- +goose StatementEnd\nSELECT 2;\n"
    )


def test_what_goose_reads_whole_needs_no_block(tmp_path: Path) -> None:
    text = "CREATE TABLE a (\n  i int, -- one\n  j text\n); -- done\n\n-- more; of it\nSELECT ';' AS x;\n"
    assert converted(tmp_path, {"1_a.up.sql": text}).files["1_a.sql"] == "-- +goose Up\n" + text


def test_a_block_comment_behind_the_last_statement_becomes_lines(tmp_path: Path) -> None:
    found = converted(tmp_path, {"1_a.up.sql": "/* one\n * two */\nSELECT 1; /* three;\n*/"}).files["1_a.sql"]
    assert found == "-- +goose Up\n-- one\n-- two\nSELECT 1;\n-- three;\n"


def test_what_runs_outside_a_transaction_says_so_and_is_not_put_into_one_message(tmp_path: Path) -> None:
    files = {
        "1_a.up.sql": "CREATE INDEX CONCURRENTLY i ON a (b);\nCREATE INDEX CONCURRENTLY j ON a (c);",
        "1_a.down.sql": "DROP INDEX i;\nDROP INDEX j;",
    }
    assert converted(tmp_path, files).files["1_a.sql"] == (
        "-- +goose NO TRANSACTION\n-- +goose Up\n"
        "CREATE INDEX CONCURRENTLY i ON a (b);\nCREATE INDEX CONCURRENTLY j ON a (c);\n"
        "\n-- +goose Down\n"
        # goose would send these two apart
        "-- +goose StatementBegin\nDROP INDEX i;\nDROP INDEX j;\n-- +goose StatementEnd\n"
    )


def test_vacuum_runs_outside_a_transaction(tmp_path: Path) -> None:
    assert converted(tmp_path, {"1_a.up.sql": "VACUUM"}).files["1_a.sql"] == (
        "-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n"
    )


def test_a_transaction_around_everything_is_gooses_own(tmp_path: Path) -> None:
    text = "-- head\nBEGIN;\nSELECT 1;\nCOMMIT;\n-- tail\n"
    assert converted(tmp_path, {"1_a.up.sql": text}).files["1_a.sql"] == (
        "-- +goose Up\n-- head\nSELECT 1;\n\n-- tail\n"
    )


def test_the_modes_of_a_transaction_are_kept(tmp_path: Path) -> None:
    text = "BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;"
    found = converted(tmp_path, {"1_a.up.sql": text}).files["1_a.sql"]
    assert "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSELECT 1;\n" in found


def test_a_transaction_around_a_part_is_sent_as_one_message(tmp_path: Path) -> None:
    text = "SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;\nSELECT 3;\n"
    assert converted(tmp_path, {"1_a.up.sql": text}).files["1_a.sql"] == (
        "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n"
        "-- +goose StatementBegin\nBEGIN;\nSELECT 2;\nCOMMIT;\n-- +goose StatementEnd\nSELECT 3;\n"
    )


def test_version_0_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        converted(tmp_path, {"000_a.up.sql": "SELECT 1"})
    assert caught.value.code == "version-too-small"
    assert "next migration" in (caught.value.fix or "")


def test_a_version_beyond_64_bits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        converted(tmp_path, {f"{2**63}_a.up.sql": "SELECT 1"})
    assert caught.value.code == "version-too-large"


def test_the_largest_version_is_kept(tmp_path: Path) -> None:
    assert list(converted(tmp_path, {f"{2**63 - 1}_a.up.sql": "SELECT 1"}).files) == [f"{2**63 - 1}_a.sql"]


def test_any_ending_becomes_sql(tmp_path: Path) -> None:
    assert list(converted(tmp_path, {"1_a.up.txt": "SELECT 1", "2_b.up.": "SELECT 2"}).files) == [
        "1_a.sql",
        "2_b.sql",
    ]


def test_a_backup_file_beside_its_original_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        converted(tmp_path, {"5_x.up.sql": "SELECT 1", "5_x.up.sql.bak": "SELECT 2"})
    assert caught.value.code == "duplicate-migration"


def test_other_sql_files_of_the_folder_are_left_where_goose_does_not_see_them(tmp_path: Path) -> None:
    files = converted(tmp_path, {"1_a.up.sql": "SELECT 1", "seed.sql": "SELECT 2", "schema.sql": "x"})
    assert list(files.files) == ["1_a.sql"]


def test_a_byte_order_mark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        converted(tmp_path, {"1_a.up.sql": b"\xef\xbb\xbfSELECT 1"})
    assert caught.value.code == "byte-order-mark"


def test_line_endings_of_windows_keep_their_meaning_in_strings(tmp_path: Path) -> None:
    found = converted(tmp_path, {"1_a.up.sql": b"SELECT\r\n  'a\r\nb\\',\r\n  E'c\\n\r\nd';\r\n"})
    assert found.files["1_a.sql"] == "-- +goose Up\nSELECT\n  E'a\\r\nb\\\\',\n  E'c\\n\\r\nd';\n"
    assert not found.notes


def test_line_endings_of_windows_in_a_function_body_are_told(tmp_path: Path) -> None:
    body = b"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\r\nSELECT 1\r\n$$;\r\n"
    found = converted(tmp_path, {"1_a.up.sql": body})
    assert [note.code for note in found.notes] == ["line-endings-change"]
    assert "\r" not in found.files["1_a.sql"]
    assert "\r\n" in converted(tmp_path, {"1_a.up.sql": body}, to="sqlx").files["1_a.sql"]


def test_a_setting_of_the_session_is_told(tmp_path: Path) -> None:
    files = {"1_a.up.sql": "SET search_path = app", "2_b.up.sql": "SET LOCAL search_path = app"}
    notes = converted(tmp_path, files).notes
    assert [(note.code, note.where and Path(note.where.file).name) for note in notes] == [
        ("session-setting", "1_a.up.sql")
    ]


def test_annotations_in_comments_go_and_in_statements_are_refused(tmp_path: Path) -> None:
    found = converted(tmp_path, {"1_a.up.sql": "-- +goose Up\n-- migrate:up\nSELECT 1;\n-- +goose Down\n"})
    assert found.files["1_a.sql"] == "-- +goose Up\nSELECT 1;\n"
    body = "DO $$\nBEGIN\n-- +goose Down\n-- migrate:down\nEND $$"
    for to in ("goose", "dbmate"):
        with pytest.raises(SourceError) as caught:
            converted(tmp_path, {"1_a.up.sql": body}, to=to)
        assert caught.value.code == "annotation-in-statement"


@pytest.mark.parametrize("to", ["sqlx", "dbmate", "golang-migrate"])
def test_what_one_message_cannot_hold_is_refused(tmp_path: Path, to: str) -> None:
    text = "-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\nCREATE INDEX CONCURRENTLY i ON a (b);\n"
    with pytest.raises(SourceError) as caught:
        converted(tmp_path, {"1_a.sql": text}, start="goose", to=to)
    assert caught.value.code == "one-message"


def test_versions_of_dbmate_are_made_equally_wide(tmp_path: Path) -> None:
    files = {"9_a.up.sql": "SELECT 1", "10_b.up.sql": "SELECT 2"}
    assert list(converted(tmp_path, files, to="dbmate").files) == ["09_a.sql", "10_b.sql"]


def test_a_go_function_cannot_be_converted(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        converted(tmp_path, {"1_a.go": "package migrations"}, start="goose", to="golang-migrate")
    assert caught.value.code == "not-convertible"


def test_formats_without_a_writer_are_refused(tmp_path: Path) -> None:
    other = Format("other", GOLANG_MIGRATE.files, GOLANG_MIGRATE.table)
    with pytest.raises(UnsupportedError):
        convert(GOLANG_MIGRATE, written(tmp_path, {}, GOLANG_MIGRATE), other)


_statement = st.sampled_from(
    [
        "SELECT 1",
        "SELECT 'a;\nb', 'c -- d'",
        "SELECT $$x;\n-- y\nz$$",
        "CREATE TABLE a (\n\n  -- c;\n  i int\n)",
        'SELECT "a;"',
        "SELECT 1 /* ;\n\n */ + 1",
        "INSERT INTO a VALUES (E'\\';\n')",
        "CREATE RULE r AS ON INSERT TO a DO (SELECT 1; SELECT 2)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n SELECT 1;\n SELECT 2;\nEND",
    ]
)
_space = st.sampled_from(
    ["", " ", "\n", "\n\n\n", "-- c; 'd\n", "\n-- e\n", "/* f;\n /* g */ */", " -- h;\n"]
)
_half = st.lists(st.tuples(_space, _statement, _space), max_size=5).map(
    lambda parts: "".join(f"{before}\n{text}{after}\n;" for before, text, after in parts)
)
_outside = st.sampled_from(["", "", "VACUUM", "BEGIN;\nSELECT 'x;\ny';\nCOMMIT;\nSELECT 3"])


@settings(max_examples=50)
@given(up=_half, tail=_space, down=_half, outside=_outside)
def test_the_same_statements_run_whatever_the_layout(up: str, tail: str, down: str, outside: str) -> None:
    files = {"1_a.up.sql": up + tail, "1_a.down.sql": down, "2_b.up.sql": outside, "2_b.down.sql": down}
    with tempfile.TemporaryDirectory() as name:
        source = written(Path(name) / "old", files, GOLANG_MIGRATE)
        before = statements(GOLANG_MIGRATE, source)
        for to in WRITERS:
            other = find_format(to)
            new = written(Path(name) / to, convert(GOLANG_MIGRATE, source, other).files, other)
            after = statements(other, new)
            assert [each[:2] for each in after] == [each[:2] for each in before]
            assert [_without_own(each[3]) for each in after] == [_without_own(each[3]) for each in before]
            # and back
            again = convert(other, new, GOLANG_MIGRATE)
            back = statements(GOLANG_MIGRATE, written(Path(name) / f"{to}-back", again.files, GOLANG_MIGRATE))
            assert [_without_own(each[3]) for each in back] == [_without_own(each[3]) for each in before]


def _without_own(texts: list[str]) -> list[str]:
    """Without transactions, which a layout may need and another has of itself."""
    return [text for text in texts if text not in {"BEGIN", "COMMIT"}]
