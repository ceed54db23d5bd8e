"""What a branch does to the migrations that are released."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fix_git import GitRepository
from howdah.check.base import Base, read_base
from howdah.check.comparison import Comparison, compare_with_base
from howdah.check.files import examine_files
from howdah.findings import Severity
from howdah.migrate.formats import find_format
from howdah.migrate.formats.interface import OutOfOrder
from howdah.observe.verdict import Verdict

Files = Mapping[str, str | bytes | None]
PAIRS: Files = {
    "001_a.up.sql": "CREATE TABLE a (id int);\n",
    "001_a.down.sql": "DROP TABLE a;\n",
    "002_b.up.sql": "CREATE TABLE b (id int);\n",
    "002_b.down.sql": "DROP TABLE b;\n",
}
NEW: Files = {"003_c.up.sql": "CREATE TABLE c (id int);\n", "003_c.down.sql": "DROP TABLE c;\n"}
SECTIONS = "-- +goose Up\n{}\n-- +goose Down\n{}\n"
REVISION = '''"""{words}"""
revision = "{id}"
down_revision = {down}


def upgrade():
    {up}


def downgrade():
    pass
'''


def branch(repository: GitRepository, released: Files, work: Files, *, later: Files | None = None) -> None:
    """A released state; work upon it that is not committed; and what the base got meanwhile."""
    repository.commit(released)
    repository.git("checkout", "-q", "-b", "work")
    if later:
        repository.git("checkout", "-q", "main")
        repository.commit(later)
        repository.git("checkout", "-q", "work")
    repository.write(work)


def compare(
    repository: GitRepository,
    format: str = "golang-migrate",
    *,
    allow_renumbering: bool = False,
    out_of_order: OutOfOrder | None = None,
) -> Comparison:
    tool = find_format(format)
    source, _ = examine_files(tool, repository.migrations)
    assert source is not None
    base = read_base(tool, repository.migrations, "main", environ={})
    return compare_with_base(
        tool, source, base, allow_renumbering=allow_renumbering, out_of_order=out_of_order
    )


def told(comparison: Comparison) -> list[tuple[str, Verdict]]:
    return [(each.finding.code, each.verdict) for each in comparison.findings]


def revision(id: str, down: str | None, words: str = "words", up: str = "pass") -> str:
    return REVISION.format(id=id, down=repr(down), words=words, up=up)


def test_without_a_base_everything_is_new(repository: GitRepository) -> None:
    repository.write(PAIRS)
    source, _ = examine_files(find_format("golang-migrate"), repository.migrations)
    assert source is not None

    assert compare_with_base(find_format("golang-migrate"), source, Base()).new == {"1", "2"}


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_new_file_is_new_and_the_rest_untouched(repository: GitRepository, is_committed: bool) -> None:
    branch(repository, PAIRS, NEW)
    if is_committed:
        repository.commit()

    found = compare(repository)

    assert found.new == {"3"}
    assert found.findings == ()
    assert found.untouched == {str(repository.migrations / name) for name in PAIRS}


def test_nothing_is_new_where_nothing_changed(repository: GitRepository) -> None:
    branch(repository, PAIRS, {})

    assert compare(repository) == Comparison(
        frozenset(), frozenset(str(repository.migrations / name) for name in PAIRS)
    )


def test_a_folder_that_the_base_does_not_have_is_new(repository: GitRepository) -> None:
    repository.commit()
    repository.write(PAIRS)

    assert compare(repository).new == {"1", "2"}


def test_a_number_that_the_base_took_meanwhile_fails(repository: GitRepository) -> None:
    branch(repository, PAIRS, NEW, later={"0003_d.up.sql": "SELECT 1;"})

    found = compare(repository)

    assert told(found) == [("taken-version", Verdict.FAILS)]
    assert found.findings[0].finding.message == "version 3 is taken: main has 0003_d.up.sql"
    assert found.new == {"3"}


def test_a_number_is_taken_by_a_file_that_says_the_same_under_another_name(repository: GitRepository) -> None:
    branch(repository, PAIRS, NEW, later={"003_d.up.sql": NEW["003_c.up.sql"]})

    assert told(compare(repository)) == [("taken-version", Verdict.FAILS)]


def test_a_file_that_the_base_got_too_is_released(repository: GitRepository) -> None:
    branch(repository, PAIRS, NEW, later=NEW)

    found = compare(repository)

    assert found.new == frozenset()
    assert found.findings == ()


def test_what_the_base_added_meanwhile_is_not_missing(repository: GitRepository) -> None:
    branch(repository, PAIRS, {"004_d.up.sql": "SELECT 1;"}, later={"003_c.up.sql": "SELECT 1;"})

    found = compare(repository)

    assert found.new == {"4"}
    assert found.findings == ()


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        (None, Verdict.FAILS),
        (OutOfOrder.REFUSE, Verdict.FAILS),
        (OutOfOrder.SKIP, Verdict.FAILS),
        (OutOfOrder.APPLY, Verdict.SAFE),
    ],
)
def test_a_new_file_older_than_the_base_is_out_of_order(
    repository: GitRepository, policy: OutOfOrder | None, verdict: Verdict
) -> None:
    branch(repository, PAIRS, NEW, later={"004_d.up.sql": "SELECT 1;"})

    assert told(compare(repository, out_of_order=policy)) == [("out-of-order-migration", verdict)]


def test_out_of_order_is_told_where_the_base_stands_still(repository: GitRepository) -> None:
    branch(repository, {**PAIRS, "009_z.up.sql": "SELECT 1;"}, NEW)

    assert told(compare(repository)) == [("out-of-order-migration", Verdict.FAILS)]


@pytest.mark.parametrize(
    ("format", "name", "verdict"),
    [
        ("golang-migrate", "001_a.up.sql", Verdict.BREAKING),
        ("goose", "001_a.sql", Verdict.BREAKING),
        ("sqlx", "001_a.sql", Verdict.FAILS),
        ("flyway", "V1__a.sql", Verdict.FAILS),
        ("prisma", "20200101000000_a/migration.sql", Verdict.BREAKING),
    ],
)
def test_an_edited_file_weighs_what_its_tool_makes_of_it(
    repository: GitRepository, format: str, name: str, verdict: Verdict
) -> None:
    one, two = (SECTIONS.format(each, "SELECT 1;") for each in ("CREATE TABLE a ();", "CREATE TABLE b ();"))
    branch(repository, {name: one}, {name: two})

    found = compare(repository, format)

    assert told(found) == [("modified-migration", verdict)]
    assert found.new == frozenset()
    assert found.untouched == frozenset()
    assert "git checkout main -- " in found.findings[0].finding.next[0]


@pytest.mark.parametrize(
    ("format", "name", "verdict"),
    [
        ("golang-migrate", "001_a.up.sql", Verdict.SAFE),
        ("goose", "001_a.sql", Verdict.SAFE),
        ("sqlx", "001_a.sql", Verdict.FAILS),
        ("flyway", "V1__a.sql", Verdict.FAILS),
        ("prisma", "20200101000000_a/migration.sql", Verdict.SAFE),
    ],
)
def test_comments_matter_only_to_checksums(
    repository: GitRepository, format: str, name: str, verdict: Verdict
) -> None:
    one = SECTIONS.format("CREATE TABLE a ();", "SELECT 1;")
    two = SECTIONS.format("-- words\nCREATE  table a ();", "SELECT 1;")
    branch(repository, {name: one}, {name: two})

    assert told(compare(repository, format)) == [("reformatted-migration", verdict)]


def test_a_way_down_may_be_mended(repository: GitRepository) -> None:
    branch(repository, PAIRS, {"001_a.down.sql": "DROP TABLE IF EXISTS a;"})
    (found,) = compare(repository).findings

    assert (found.finding.code, found.finding.severity) == ("modified-migration", Severity.INFO)


def test_of_a_file_with_both_ways_each_is_compared_by_itself(repository: GitRepository) -> None:
    branch(
        repository,
        {"1_a.sql": SECTIONS.format("SELECT 1;", "SELECT 1;")},
        {"1_a.sql": SECTIONS.format("SELECT 1;", "SELECT 2;")},
    )
    (found,) = compare(repository, "goose").findings

    assert "the way down" in found.finding.message


def test_line_ends_of_a_checkout_are_no_edit(repository: GitRepository) -> None:
    repository.commit(PAIRS)
    repository.git("config", "core.autocrlf", "true")
    text = PAIRS["001_a.up.sql"]
    assert isinstance(text, str)
    repository.write({"001_a.up.sql": text.replace("\n", "\r\n")})

    found = compare(repository)

    assert found.new == frozenset()
    assert found.findings == ()


@pytest.mark.parametrize(
    ("format", "names", "gone", "verdict"),
    [
        ("golang-migrate", ("1_a.up.sql", "2_b.up.sql"), 0, Verdict.BREAKING),
        ("golang-migrate", ("1_a.up.sql", "2_b.up.sql"), 1, Verdict.FAILS),
        ("goose", ("1_a.sql", "2_b.sql"), 1, Verdict.BREAKING),
        ("sqlx", ("1_a.sql", "2_b.sql"), 0, Verdict.FAILS),
    ],
)
def test_a_removed_file_is_told(
    repository: GitRepository, format: str, names: tuple[str, ...], gone: int, verdict: Verdict
) -> None:
    texts = {name: SECTIONS.format(f"SELECT {number};", "SELECT 0;") for number, name in enumerate(names)}
    branch(repository, texts, {names[gone]: None})

    assert told(compare(repository, format)) == [("missing-migration", verdict)]


@pytest.mark.parametrize(("is_allowed", "verdict"), [(False, Verdict.FAILS), (True, Verdict.SAFE)])
def test_a_renumbered_file_wants_the_flag(
    repository: GitRepository, is_allowed: bool, verdict: Verdict
) -> None:
    branch(
        repository,
        PAIRS,
        {
            "002_b.up.sql": None,
            "002_b.down.sql": None,
            "005_b.up.sql": "-- moved\nCREATE TABLE b (id int);\n",
            "005_b.down.sql": "DROP TABLE b;\n",
        },
    )

    found = compare(repository, allow_renumbering=is_allowed)

    assert told(found) == [("renumbered-migration", verdict)]
    assert found.new == {"5"}


def test_a_renamed_file_is_the_same_migration_except_to_flyway(repository: GitRepository) -> None:
    branch(
        repository,
        {"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;"},
        {"V1__a.sql": None, "V1__words.sql": "SELECT 1;", "V2__b.sql": None, "V02__b.sql": "SELECT 2;"},
    )

    assert told(compare(repository, "flyway")) == [
        ("renamed-migration", Verdict.FAILS),
        ("renamed-migration", Verdict.SAFE),
    ]


def test_a_repeatable_migration_may_change_and_then_runs_again(repository: GitRepository) -> None:
    branch(
        repository,
        {"V1__a.sql": "SELECT 1;", "R__v.sql": "SELECT 1;", "R__w.sql": "SELECT 1;"},
        {"R__v.sql": "SELECT 2;", "R__w.sql": None},
    )

    found = compare(repository, "flyway")

    assert found.new == {"R__v"}
    assert found.findings == ()


def test_what_a_squash_took_away_is_not_missing(repository: GitRepository) -> None:
    manifest = {"howdah": 1, "format": "golang-migrate", "version": "2", "replaced": []}
    branch(
        repository,
        PAIRS,
        {
            **dict.fromkeys(PAIRS, None),
            "002_squashed.up.sql": "CREATE TABLE a (id int); CREATE TABLE b (id int);",
            **{f"squashed/2/{name}": text for name, text in PAIRS.items()},
            "squashed/2/manifest.json": json.dumps(manifest),
        },
    )

    found = compare(repository)

    assert found.new == frozenset()
    assert found.findings == ()


def test_names_and_bodies_of_any_kind_are_compared(repository: GitRepository) -> None:
    names = ["001_a b.up.sql", "002_'q\".up.sql", "003_ä.up.sql", "004_a\nb.up.sql"]
    branch(
        repository,
        dict.fromkeys(names, b"SELECT '\xff\0';"),
        {**dict.fromkeys(names, b"SELECT '\xfe\0';"), "005_--x.up.sql": "SELECT 1;"},
    )

    found = compare(repository)

    assert [each.finding.code for each in found.findings] == [
        "modified-migration"
    ] * 3  # with a newline it is none
    assert found.new == {"5"}


def test_two_alembic_branches_from_one_revision_are_told(repository: GitRepository) -> None:
    branch(
        repository,
        {"a.py": revision("aaaa", None)},
        {"b.py": revision("bbbb", "aaaa")},
        later={"c.py": revision("cccc", "aaaa")},
    )

    found = compare(repository, "alembic")

    assert told(found) == [("several-heads", Verdict.FAILS)]
    assert found.new == {"bbbb"}


def test_an_alembic_revision_put_below_a_released_one_is_told(repository: GitRepository) -> None:
    branch(
        repository,
        {"a.py": revision("aaaa", None), "b.py": revision("bbbb", "aaaa")},
        {"x.py": revision("xxxx", "aaaa"), "b.py": revision("bbbb", "xxxx")},
    )

    found = compare(repository, "alembic")

    assert told(found) == [("changed-parents", Verdict.FAILS)]
    assert found.new == {"xxxx"}


def test_of_an_alembic_revision_words_and_comments_do_not_count(repository: GitRepository) -> None:
    branch(
        repository,
        {"a.py": revision("aaaa", None), "b.py": revision("bbbb", "aaaa")},
        {
            "a.py": "# words\n" + revision("aaaa", None, "other words"),
            "b.py": revision("bbbb", "aaaa", up="op.drop_table('t')"),
        },
    )

    assert told(compare(repository, "alembic")) == [
        ("reformatted-migration", Verdict.SAFE),
        ("modified-migration", Verdict.BREAKING),
    ]


def test_revisions_of_an_environment_at_the_root_are_found(repository: GitRepository) -> None:
    (repository.root / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    repository.write({"env.py": "", "versions/a.py": revision("aaaa", None)})
    repository.commit()
    repository.git("checkout", "-q", "-b", "work")
    repository.write({"versions/b.py": revision("bbbb", "aaaa")})
    tool = find_format("alembic")
    source, _ = examine_files(tool, repository.root)
    assert source is not None

    found = compare_with_base(tool, source, read_base(tool, repository.root, "main", environ={}))

    assert found.new == {"bbbb"}
    assert found.findings == ()


@settings(max_examples=20)
@given(
    released=st.sets(st.integers(1, 6), max_size=4),
    added=st.sets(st.integers(1, 9), max_size=4),
    later=st.sets(st.integers(1, 9), max_size=3),
)
def test_every_new_number_is_free_and_in_order_or_told(
    tmp_path_factory: pytest.TempPathFactory, released: set[int], added: set[int], later: set[int]
) -> None:
    repository = GitRepository(tmp_path_factory.mktemp("repository"))
    repository.git("init", "-q", "-b", "main")
    added, later = added - released, later - released
    files: dict[str, dict[str, str | bytes | None]] = {
        kind: {f"{number}_{kind}.up.sql": f"SELECT '{kind}', {number};" for number in numbers}
        for kind, numbers in (("released", released), ("added", added), ("later", later))
    }
    branch(repository, {**files["released"], "README": ""}, files["added"], later={**files["later"], "x": ""})

    found = compare(repository)

    newest = max(released | later, default=0)
    late = {str(number) for number in added - later if number < newest}
    assert found.new == {str(number) for number in added}
    assert sorted(told(found)) == sorted(
        [("taken-version", Verdict.FAILS)] * len(added & later)
        + [("out-of-order-migration", Verdict.FAILS)] * len(late)
    )


def test_what_is_wrong_with_untouched_files_is_old_except_duplicates(repository: GitRepository) -> None:
    files = {**PAIRS, "002_b.up.sql": "", "0001_again.up.sql": "SELECT 1;", "004_d.up.sql": ""}
    branch(repository, files, {"005_e.up.sql": ""})
    _, examined = examine_files(find_format("golang-migrate"), repository.migrations)

    marked = map(compare(repository).mark_old, examined)

    assert {
        (Path(each.finding.where.file).name, each.finding.code): each.is_old
        for each in marked
        if each.finding.where and each.finding.code in ("duplicate-migration", "empty-migration")
    } == {
        ("001_a.up.sql", "duplicate-migration"): False,
        ("002_b.up.sql", "empty-migration"): True,
        ("004_d.up.sql", "empty-migration"): True,
        ("005_e.up.sql", "empty-migration"): False,
    }


@pytest.mark.slow
def test_ten_thousand_files_are_compared(repository: GitRepository) -> None:
    released: Files = {f"{number:05}_a.up.sql": f"SELECT {number};" for number in range(1, 10_001)}
    branch(repository, released, {"00007_a.up.sql": "SELECT 0;", "10001_b.up.sql": "SELECT 1;"})

    found = compare(repository)

    assert told(found) == [("modified-migration", Verdict.BREAKING)]
    assert found.new == {"10001"}
    assert len(found.untouched) == 9_999
