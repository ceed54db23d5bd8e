"""Flyway's names, versions, placeholders and checksums: what its own source says, and what it did with these files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import ConfigError, SourceError
from howdah.migrate.formats.flyway.files import FlywayFiles
from howdah.migrate.formats.flyway.names import Kind, canonical, parse_name, version_key
from howdah.migrate.formats.flyway.script import checksum_of, replace_placeholders
from howdah.migrate.formats.interface import Transaction
from howdah.migrate.migration import Direction

FILES = FlywayFiles()
SCRIPT = Path("V1__a.sql")
PARTS = st.lists(st.integers(0, 10**20), min_size=1, max_size=5)


def write(directory: Path, *names: str, text: str = "SELECT 1;") -> Path:
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def versions(directory: Path) -> list[str]:
    return [each.version for each in FILES.read(directory).migrations]


def codes(directory: Path) -> list[str]:
    return [each.code for each in FILES.read(directory).notes]


@pytest.mark.parametrize(
    ("name", "kind", "version", "words"),
    [
        ("V1__create_a.sql", Kind.VERSIONED, "1", "create_a"),
        ("V1_2.3__x.SQL", Kind.VERSIONED, "1.2.3", "x"),
        ("V007.sql", Kind.VERSIONED, "007", ""),
        ("V1__.sql", Kind.VERSIONED, "1", ""),
        ("V1__a__b.sql", Kind.VERSIONED, "1", "a__b"),
        ("U1__x.sql", Kind.UNDO, "1", "x"),
        ("B5__x.sql", Kind.BASELINE, "5", "x"),
        ("R__views.sql", Kind.REPEATABLE, "", "views"),
        ("R.sql", Kind.REPEATABLE, "", ""),
        ("afterMigrate.sql", Kind.CALLBACK, "", ""),
        ("afterMigrateError__told.sql", Kind.CALLBACK, "", "told"),
        ("V2__Seed.java", Kind.VERSIONED, "2", "Seed"),
    ],
)
def test_a_name_has_the_parts_that_flyway_sees(name: str, kind: Kind, version: str, words: str) -> None:
    found = parse_name(name)

    assert found is not None
    assert (found.kind, found.version, found.words) == (kind, version, words)


@pytest.mark.parametrize(
    "name",
    [
        "v1__x.sql",
        "VACUUM__x.sql",
        "V__x.sql",
        "V1.a__x.sql",
        "V1.__x.sql",
        "V1_x.sql",
        "R1__x.sql",
        "README.sql",
        "afterMigrate_x.sql",
        "beforeMigrateX.sql",
        "V1__x.sql.bak",
        "V1__x.txt",
        ".sql",
    ],
)
def test_other_names_are_none_of_its(name: str) -> None:
    assert parse_name(name) is None


def test_versions_are_compared_part_by_part_as_numbers(tmp_path: Path) -> None:
    write(
        tmp_path,
        "V10__c.sql",
        "V9__b.sql",
        "V1.10__a.sql",
        "V1_9__a.sql",
        "V2020.01.02__d.sql",
        "V1__first.sql",
    )

    assert versions(tmp_path) == ["1", "1.9", "1.10", "9", "10", "2020.1.2"]


@given(PARTS, PARTS)
def test_versions_order_as_their_parts_with_zeros_behind(one: list[int], two: list[int]) -> None:
    longest = max(len(one), len(two))
    padded = [[*each, *[0] * (longest - len(each))] for each in (one, two)]
    texts = [".".join(map(str, each)) for each in (one, two)]

    assert (version_key(texts[0]) < version_key(texts[1])) is (padded[0] < padded[1])
    assert (canonical(texts[0]) == canonical(texts[1])) is (padded[0] == padded[1])


@given(PARTS, st.integers(0, 3), st.integers(0, 3), st.sampled_from("._"))
def test_equal_versions_have_one_text(parts: list[int], zeros: int, more: int, mark: str) -> None:
    plain = ".".join(map(str, parts))
    decorated = mark.join(["0" * zeros + str(part) for part in parts] + ["0"] * more)

    assert canonical(decorated) == canonical(plain)
    assert FILES.parse_version(decorated, FILES.read(Path(__file__).parent)) == canonical(plain)
    assert FILES.sort_key(canonical(plain)) == version_key(decorated)


def test_what_is_no_version_cannot_be_asked_for(tmp_path: Path) -> None:
    for text in ("", "x", "1.", "1..2", "-1", "latest", "\u0661"):
        with pytest.raises(ConfigError):
            FILES.parse_version(text, FILES.read(tmp_path))


@pytest.mark.parametrize(
    "other", ["V1.0__b.sql", "V01__a.sql", "V1_0__b.sql", "sub/V1__a.sql", "V1__Java.java"]
)
def test_two_files_of_equal_versions_are_refused_naming_both(tmp_path: Path, other: str) -> None:
    write(tmp_path, "V1__a.sql", other)

    with pytest.raises(SourceError) as caught:
        FILES.read(tmp_path)

    assert caught.value.code == "duplicate-migration"
    assert Path(other).name in str(caught.value)


def test_two_repeatable_files_of_one_description_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "R__my_views.sql", "sub/R__my views.sql")

    with pytest.raises(SourceError, match="my"):
        FILES.read(tmp_path)


@pytest.mark.parametrize("name", ["V-1__x.sql", "V+1__x.sql", "Vlatest__x.sql", "V\u0661__x.sql"])
def test_a_version_that_only_java_reads_as_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError) as caught:
        FILES.read(write(tmp_path, name))

    assert caught.value.code == "bad-file-name"


def test_a_version_longer_than_the_column_is_refused(tmp_path: Path) -> None:
    assert versions(write(tmp_path, f"V{'1' * 50}__x.sql")) == ["1" * 50]
    with pytest.raises(SourceError) as caught:
        FILES.read(write(tmp_path, f"V{'1' * 51}__x.sql"))

    assert caught.value.code == "version-too-large"


def test_folders_count_and_hidden_ones_do_not(tmp_path: Path) -> None:
    write(tmp_path, "a/b/V1__x.sql", "V2__x.sql", ".git/V3__x.sql")

    assert versions(tmp_path) == ["1", "2"]


def test_what_is_not_run_is_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        "V5__x.sql",
        "B5__x.sql",
        "README.sql",
        "afterMigrate.sql",
        "afterClean.sql",
        "R__x.sh",
        "U9__x.sql",
    )

    assert sorted(codes(tmp_path)) == [
        "baseline-migration",
        "flyway-callback",
        "ignored-file",
        "ignored-file",
        "repeatable-program",
    ]


def test_programs_and_baselines_without_a_version_of_their_own_are_left_to_flyway(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "V1__a.sql", "V2__Seed.java", "V3__x.sh", "B9__all.sql"))

    assert [(each.version, each.foreign) for each in source.migrations] == [
        ("1", ""),
        ("2", "a Java class"),
        ("3", "a program"),
        ("9", "a baseline migration"),
    ]


def test_an_undo_file_is_the_way_down_of_its_version(tmp_path: Path) -> None:
    source = FILES.read(write(tmp_path, "V1.0__a.sql", "U1__take_a_back.sql", "V2__b.sql"))

    assert [each.down for each in source.migrations] == [tmp_path / "U1__take_a_back.sql", None]


def test_repeatable_migrations_come_last_with_the_checksum_of_today(tmp_path: Path) -> None:
    write(tmp_path, "R__b.sql", "R__a_view.sql", "V2__x.sql", text="CREATE TABLE a(id int);\nSELECT 1;\n")

    source = FILES.read(tmp_path)

    assert [(each.version, each.repeats) for each in source.migrations] == [
        ("2", ""),
        ("R__a_view", "797280601"),
        ("R__b", "797280601"),
    ]
    assert FILES.parse_version("R__a view", source) == "R__a_view"


def test_the_checksum_of_a_repeatable_migration_sees_the_values_put_into_it(tmp_path: Path) -> None:
    write(tmp_path, "R__a.sql", text="SELECT ${one};")

    one, two, none = (
        FILES.with_variables(values).read(tmp_path).migrations[0].repeats
        for values in ({"one": "1"}, {"one": "2"}, {})
    )

    assert (one, none) == (checksum_of(b"SELECT 1;"), checksum_of(b"SELECT ${one};"))
    assert one != two


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([], "V1__add.sql"),
        (["V1__x.sql", "R__v.sql"], "V2__add.sql"),
        (["V009__x.sql"], "V010__add.sql"),
        (["V1.2__x.sql"], "V1.3__add.sql"),
        (["V1_09__x.sql"], "V1_10__add.sql"),
        (["V3.sql"], "V4__add.sql"),
        (["V29990101000000__x.sql"], "V29990101000001__add.sql"),
        (["2026/V7__x.sql"], "2026/V8__add.sql"),
    ],
)
def test_a_new_migration_counts_on_as_the_newest_is_written(
    tmp_path: Path, there: list[str], expected: str
) -> None:
    assert FILES.new(FILES.read(write(tmp_path, *there)), "add") == {expected: ""}


# The first three are what a JVM made with Flyway's formula; the others stand in a history that Flyway 7.15 wrote.
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "0"),
        (b"CREATE TABLE a(id int);\nSELECT 1;\n", "797280601"),
        (b"a\rb\n\nc", "891568578"),
        (b"create table b(id int);\r\n", "1407251784"),
        (b"\xef\xbb\xbfcreate table c(id int);", "-1138581898"),
        ('create table "ümläut"(id int);'.encode(), "1029175581"),
        (b"create index concurrently b_i on b(id);\n", "2091864811"),
    ],
)
def test_checksums_are_those_of_the_real_tool(raw: bytes, expected: str) -> None:
    assert FILES.checksum(raw) == expected


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_a_checksum_does_not_see_line_ends_and_fits_the_column(lines: list[str], end: str) -> None:
    found = checksum_of(end.join(lines).encode())

    assert found == checksum_of("".join(lines).encode())
    assert -(2**31) <= int(found) < 2**31


def body(text: str, directory: Path, conf: str | None = None) -> tuple[str, Transaction]:
    path = directory / "V1__a.sql"
    if conf is not None:
        (directory / "V1__a.sql.conf").write_text(conf)
    found = FILES.read_body(path, text, Direction.UP)
    return found.text, found.transaction


def test_the_settings_beside_a_script_say_whether_a_transaction_holds_it(tmp_path: Path) -> None:
    assert body("VACUUM", tmp_path)[1] is Transaction.AUTO
    assert body("VACUUM", tmp_path, "# why\n\nexecuteInTransaction = false\n")[1] is Transaction.NEVER
    assert body("VACUUM", tmp_path, "executeInTransaction=true")[1] is Transaction.ALWAYS


@pytest.mark.parametrize(
    "text", ["VACUUM; CREATE TABLE a ();", "SELECT 1; CREATE INDEX CONCURRENTLY i ON a (b);"]
)
def test_a_mixture_is_refused_unless_the_settings_decide(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError) as caught:
        body(text, tmp_path)

    assert (caught.value.code, caught.value.where and caught.value.where.line) == ("mixed-statements", 1)
    assert body(text, tmp_path, "executeInTransaction=false")[1] is Transaction.NEVER


@pytest.mark.parametrize(
    "text", ["VACUUM; VACUUM;", "COMMENT ON DATABASE a IS 'vacuum'; SELECT 1;", "SELECT 'vacuum"]
)
def test_what_is_no_mixture_is_none(tmp_path: Path, text: str) -> None:
    assert body(text, tmp_path) == (text, Transaction.AUTO)


@pytest.mark.parametrize(
    ("conf", "code"),
    [
        ("executeInTransactions=false", "bad-script-settings"),
        ("executeInTransaction=TRUE", "bad-script-settings"),
        ("encoding=ISO-8859-1", "unsupported-setting"),
        ("shouldExecute=${ci}==true", "unsupported-setting"),
    ],
)
def test_settings_that_howdah_does_not_follow_are_refused(tmp_path: Path, conf: str, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        body("SELECT 1", tmp_path, conf)

    assert caught.value.code == code


def test_wrong_settings_of_any_script_stop_all_as_in_flyway(tmp_path: Path) -> None:
    write(tmp_path, "V1__a.sql")
    write(tmp_path, "V1__a.sql.conf", text="nonsense=1")

    with pytest.raises(SourceError) as caught:
        FILES.read(tmp_path)

    assert caught.value.code == "bad-script-settings"


def test_a_byte_order_mark_is_taken_off(tmp_path: Path) -> None:
    assert body("\ufeffSELECT 1", tmp_path)[0] == "SELECT 1"


# Each was put through Flyway 7.15 as a migration.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT '${a}', ${A}", "SELECT '1', 1"),
        ("-- ${a}\n$${a}", "-- 1\n$${a}"),
        ("$$${a}", "$$1"),
        ("$a${a}$", "$a1$"),
        ("${flyway:filename}", "V1__a.sql"),
        ("{a} $ {a} $[a]", "{a} $ {a} $[a]"),
        ("${b}", "${a}"),
    ],
)
def test_placeholders_are_replaced_as_flyway_reads(text: str, expected: str) -> None:
    assert replace_placeholders(text, SCRIPT, {"A": "1", "b": "${a}"}) == expected


@pytest.mark.parametrize("text", ["\n${other}", "\n${}", "\n${a", "\n${flyway:timestamp}"])
def test_a_placeholder_without_a_value_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        replace_placeholders(text, SCRIPT, {"a": "1"})

    assert (caught.value.code, caught.value.where and caught.value.where.line) == ("no-placeholder-value", 2)


def test_placeholders_are_left_alone_where_nobody_wants_them(tmp_path: Path) -> None:
    assert body("SELECT '${x}'", tmp_path, "placeholderReplacement=false")[0] == "SELECT '${x}'"


@given(st.text(st.characters(codec="utf-8", exclude_characters="$")), st.dictionaries(st.text(), st.text()))
def test_text_without_a_dollar_sign_is_left_alone(text: str, values: dict[str, str]) -> None:
    assert replace_placeholders(text, SCRIPT, values) == text
