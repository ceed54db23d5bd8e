"""What is wrong with the files of a folder, all of it at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.check.files import examine_files
from howdah.check.names import stray_copies
from howdah.check.report import RuleFinding
from howdah.errors import SourceError
from howdah.findings import Severity
from howdah.migrate.formats import FORMAT_NAMES, find_format
from howdah.observe.verdict import Verdict

GOOD = {
    "001_a.up.sql": "CREATE TABLE a (id int);\n",
    "001_a.down.sql": "DROP TABLE a;\n",
    "002_b.up.sql": "CREATE TABLE b (id int);\n",
    "002_b.down.sql": "DROP TABLE b;\n",
}


def examine(
    folder: Path, files: Mapping[str, str | bytes], format: str = "golang-migrate"
) -> tuple[RuleFinding, ...]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return examine_files(find_format(format), folder)[1]


def codes(found: tuple[RuleFinding, ...]) -> list[str]:
    return [each.finding.code for each in found]


def test_nothing_is_said_of_well_formed_pairs(tmp_path: Path) -> None:
    assert examine(tmp_path, GOOD) == ()


def test_all_duplicates_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    found = examine(
        tmp_path,
        {
            **GOOD,
            "0002_c.up.sql": "SELECT 1;",
            "2_d.up.sql": "SELECT 1;",
            "002_b.down.sql.bak": "DROP TABLE b;",
        },
    )
    source, _ = examine_files(find_format("golang-migrate"), tmp_path)

    assert codes(found).count("duplicate-migration") == 3
    assert all(each.verdict is Verdict.FAILS for each in found if each.finding.code == "duplicate-migration")
    assert source is not None
    assert [each.version for each in source.migrations] == ["1", "2"]


@pytest.mark.parametrize(
    ("format", "files"),
    [
        ("golang-migrate", ("1_a.up.sql", "01_b.up.sql", "1_c.up.sql")),
        ("goose", ("1_a.sql", "01_b.sql", "001_c.sql")),
        ("sqlx", ("1_a.sql", "01_b.sql", "001_c.sql")),
        ("dbmate", ("1_a.sql", "1_b.sql", "1_c.sql")),
        ("flyway", ("V1__a.sql", "V1_0__b.sql", "V01__c.sql")),
    ],
)
def test_every_format_tells_each_duplicate(tmp_path: Path, format: str, files: tuple[str, ...]) -> None:
    text = "-- +goose Up\n-- migrate:up\nSELECT 1;\n-- migrate:down\n"
    found = examine(tmp_path, dict.fromkeys(files, text), format)

    assert codes(found).count("duplicate-migration") == 2


def test_prisma_tells_each_folder_without_a_script(tmp_path: Path) -> None:
    for name in ("20200101000000_a", "20200102000000_b"):
        (tmp_path / name).mkdir()

    assert codes(examine(tmp_path, {"20200103000000_c/migration.sql": "SELECT 1;"}, "prisma")) == [
        "missing-up-file",
        "missing-up-file",
    ]


def test_typeorm_tells_each_class_without_a_moment_and_each_twin(tmp_path: Path) -> None:
    text = "export class {} implements MigrationInterface {{ async up() {{}} }}"
    files = {"1.ts": "First", "2.ts": "Second", "3.ts": "A1700000000000", "4.ts": "A1700000000000"}
    found = examine(tmp_path, {name: text.format(words) for name, words in files.items()}, "typeorm")

    assert sorted(codes(found)) == ["bad-version", "bad-version", "duplicate-migration"]


def test_alembic_tells_each_unreadable_revision_and_not_what_builds_upon_them(tmp_path: Path) -> None:
    found = examine(
        tmp_path,
        {
            "a.py": "revision = (",
            "words.py": "x = 1",
            "c.py": "revision = 'c'\ndown_revision = 'a'\ndef upgrade(): pass\ndef downgrade(): pass\n",
        },
        "alembic",
    )

    assert codes(found) == ["unreadable-revision", "unreadable-revision"]


def test_a_missing_half_fails_where_the_others_have_both(tmp_path: Path) -> None:
    found = examine(tmp_path, {**GOOD, "003_c.up.sql": "SELECT 1;", "004_d.down.sql": "SELECT 1;"})

    assert [(each.finding.code, each.verdict) for each in found] == [
        ("missing-down-file", Verdict.FAILS),
        ("missing-up-file", Verdict.FAILS),
    ]


def test_a_project_that_never_goes_back_lacks_no_halves(tmp_path: Path) -> None:
    assert examine(tmp_path, {"001_a.up.sql": "SELECT 1;", "002_b.up.sql": "SELECT 1;"}) == ()


def test_a_missing_down_section_is_a_warning_where_others_have_one(tmp_path: Path) -> None:
    nothing = "-- +goose Up\n"
    up, both = "-- +goose Up\nSELECT 1;\n", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 1;\n"
    (tmp_path / "never").mkdir()
    (tmp_path / "mostly").mkdir()

    assert examine(tmp_path / "never", {"1_a.sql": up, "2_b.sql": up}, "goose") == ()
    found = examine(tmp_path / "mostly", {"1_a.sql": both, "2_b.sql": up, "3_c.sql": nothing}, "goose")
    assert [(each.finding.code, each.verdict) for each in found] == [
        ("empty-migration", Verdict.SAFE),
        ("missing-down-file", Verdict.SAFE),
    ]


def test_a_gap_in_a_sequence_is_a_note(tmp_path: Path) -> None:
    files = {f"{number:03}_a.up.sql": "SELECT 1;" for number in (1, 2, 3, 4, 7, 8, 9, 10)}
    (found,) = examine(tmp_path, files)

    assert found.finding.message == "there is no migration 5 to 6 between 4 and 7"
    assert (found.finding.severity, found.verdict) == (Severity.INFO, Verdict.SAFE)


@pytest.mark.parametrize("numbers", [(10, 20, 30, 40), (20200101000000, 20200301000000, 20200302000000)])
def test_numbers_that_nobody_counts_have_no_gaps(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    assert examine(tmp_path, {f"{number}_a.up.sql": "SELECT 1;" for number in numbers}) == ()


def test_a_number_of_another_width_is_noted_where_numbers_are_padded(tmp_path: Path) -> None:
    (tmp_path / "padded").mkdir()
    (tmp_path / "plain").mkdir()
    padded = {"001_a.up.sql": "SELECT 1;", "002_b.up.sql": "SELECT 1;", "03_c.up.sql": "SELECT 1;"}
    plain = {f"{number}_a.up.sql": "SELECT 1;" for number in range(1, 12)}

    assert codes(examine(tmp_path / "padded", padded)) == ["uneven-number-width"]
    assert examine(tmp_path / "plain", plain) == ()


@pytest.mark.parametrize(
    "name",
    [
        "0007_x (1).up.sql",
        "0007_x.up (1).sql",
        "0007_x.up.sql.orig",
        "0007_x.up.sql.bak",
        "0007_x.up.sql~",
        "._0007_x.up.sql",
        ".0007_x.up.sql.swp",
        ".#0007_x.up.sql",
        "#0007_x.up.sql#",
        "copy of 0007_x.up.sql",
        "Copy of 0007_x.up.sql",
        "0007_x copy.up.sql",
        "0007_x - Copy (2).up.sql",
        "0007_x.up.sql.rej",
        "0007_x_BASE_123.up.sql",
        "0007_x.up.sql.mine",
    ],
)
def test_a_copy_left_behind_is_told(name: str) -> None:
    assert [each.finding.code for each in stray_copies([Path(name)])] == ["stray-copy"]


@pytest.mark.parametrize(
    "name",
    [
        "0007_x.up.sql",
        "0007_copy_orders.up.sql",
        "0008_backfill_copy.sql",
        "README.md",
        ".gitkeep",
        "V1__original.sql",
        "20200101_base_1.sql",
        "0009_old.sql",
    ],
)
def test_a_migration_that_speaks_of_copies_is_none(name: str) -> None:
    assert list(stray_copies([Path(name)])) == []


def test_a_stray_copy_is_told_once(tmp_path: Path) -> None:
    found = examine(tmp_path, {**GOOD, "copy of 001_a.up.sql": "SELECT 1;"})

    assert codes(found) == ["stray-copy"]


def test_a_conflict_of_a_merge_fails_at_its_line(tmp_path: Path) -> None:
    text = "SELECT 1;\n<<<<<<< HEAD\nSELECT 2;\n=======\nSELECT 3;\n>>>>>>> other\n"
    (found,) = examine(tmp_path, {**GOOD, "002_b.up.sql": text})

    assert (found.finding.code, found.verdict) == ("conflict-marker", Verdict.FAILS)
    assert found.finding.where is not None
    assert found.finding.where.line == 2


def test_a_heading_of_equals_signs_is_no_conflict(tmp_path: Path) -> None:
    assert examine(tmp_path, {**GOOD, "002_b.up.sql": "/*\nWords\n=======\n*/ SELECT 1;\n"}) == ()


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        (b"SELECT 1;\nSELECT 'open;\n", "bad-script", 2),
        (b"\xef\xbb\xbfSELECT 1;\n", "byte-order-mark", 1),
        (b"SELECT 1;\n-- caf\xe9\n", "not-utf8", 2),
        (b"SELECT 1;\nCOPY t FROM stdin;\n", "copy-needs-psql", 2),
        (b"BEGIN;\nSELECT 1;\n", "unfinished-transaction", 1),
        (b"BEGIN;\nCREATE INDEX CONCURRENTLY i ON t (a);\nCOMMIT;\n", "forbidden-in-transaction", 2),
    ],
)
def test_what_no_run_would_take_fails_with_file_and_line(
    tmp_path: Path, body: bytes, code: str, line: int
) -> None:
    (found,) = examine(tmp_path, {**GOOD, "002_b.up.sql": body})

    assert (found.finding.code, found.verdict) == (code, Verdict.FAILS)
    assert found.finding.where is not None
    assert (Path(found.finding.where.file).name, found.finding.where.line) == ("002_b.up.sql", line)


def test_every_file_that_cannot_be_split_is_told(tmp_path: Path) -> None:
    found = examine(tmp_path, dict.fromkeys(GOOD, "SELECT 'open"))

    assert codes(found) == ["bad-script"] * 4


def test_a_statement_that_the_formats_transaction_forbids_fails(tmp_path: Path) -> None:
    text = "-- +goose Up\nCREATE INDEX CONCURRENTLY i ON t (a);\n-- +goose Down\nDROP INDEX i;\n"
    (found,) = examine(tmp_path, {"1_a.sql": text}, "goose")

    assert (found.finding.code, found.verdict) == ("needs-no-transaction", Verdict.FAILS)
    assert found.finding.where is not None
    assert found.finding.where.line == 2


def test_what_the_tool_itself_cannot_run_is_a_warning(tmp_path: Path) -> None:
    both = "CREATE INDEX CONCURRENTLY i ON a (id);\nCREATE INDEX CONCURRENTLY j ON a (id);\n"
    (found,) = examine(tmp_path, {**GOOD, "002_b.up.sql": both})

    assert (found.finding.code, found.finding.severity) == ("needs-own-file", Severity.WARNING)


@pytest.mark.parametrize(
    ("text", "severity"), [("", Severity.WARNING), ("-- nothing to do\n", Severity.INFO)]
)
def test_an_up_without_statements_is_told_and_an_empty_down_is_an_answer(
    tmp_path: Path, text: str, severity: Severity
) -> None:
    (found,) = examine(tmp_path, {**GOOD, "002_b.up.sql": text, "002_b.down.sql": ""})

    assert (found.finding.code, found.finding.severity) == ("empty-migration", severity)


def test_line_ends_of_two_kinds_are_a_note(tmp_path: Path) -> None:
    (found,) = examine(tmp_path, {**GOOD, "002_b.up.sql": b"SELECT 1;\r\nSELECT 2;\n"})

    assert found.finding.message == "1 lines end with CR LF, 1 with LF"


def test_names_that_differ_in_case_are_told(tmp_path: Path) -> None:
    found = examine(tmp_path, {**GOOD, "readme.md": "", "README.md": ""})

    assert codes(found) == ["names-differ-in-case"]


def test_halves_with_other_words_are_told(tmp_path: Path) -> None:
    found = examine(tmp_path, {**GOOD, "003_c.up.sql": "SELECT 1;", "003_d.down.sql": "SELECT 1;"})

    assert codes(found) == ["halves-differ-in-name"]


def test_a_folder_that_is_not_there_is_an_error_and_an_empty_one_a_finding(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no directory"):
        examine_files(find_format("goose"), tmp_path / "nowhere")
    assert codes(examine(tmp_path, {})) == ["no-migrations"]


@given(
    names=st.lists(
        st.text(
            st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
            | st.sampled_from("0123_.\n'\" -"),
            min_size=1,
            max_size=30,
        ).map(lambda name: f"{name}.sql"),
        max_size=6,
        unique=True,
    ),
    format=st.sampled_from([each for each in FORMAT_NAMES if each not in ("alembic", "typeorm")]),
    body=st.sampled_from([b"", b"SELECT 1;", b"'", b"\xff", b"-- migrate:up\n", b"-- +goose Up\nSELECT 1;"]),
)
def test_no_name_and_no_content_stops_the_examination(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], format: str, body: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in names:
        if len(name.encode()) < 200:
            (folder / name).write_bytes(body)

    _, found = examine_files(find_format(format), folder)

    for each in found:
        assert each.finding.message
        assert (each.verdict is Verdict.FAILS) <= (each.finding.severity is Severity.ERROR)


def test_files_are_examined_without_a_driver_or_a_table_drawer() -> None:
    program = (
        "import sys; from pathlib import Path; from howdah.check.files import examine_files;"
        "from howdah.check.base import read_base; from howdah.check.comparison import compare_with_base;"
        "from howdah.migrate.formats import find_format; import howdah.check.history;"
        "print([each for each in ('psycopg', 'rich', 'click', 'asyncio') if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
