"""Alembic's revisions and configuration, read without running them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import ConfigError, SourceError
from howdah.migrate.formats.alembic import ALEMBIC
from howdah.migrate.formats.alembic.places import Places, find_places
from howdah.migrate.formats.alembic.revisions import Revision, _in_order, heads
from howdah.migrate.history import Applied, History, HistoryTable
from howdah.migrate.migration import Direction, Migration, Source
from howdah.migrate.plan import plan_down, plan_up
from howdah.migrate.standing import ancestors, stand

TABLE = HistoryTable("app", "public", "alembic_version")


def write(directory: Path, **files: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / f"{name}.py").write_text(text)
    return directory


def revision(id: str, down: object, more: str = "") -> str:
    return (
        f"revision = {id!r}\ndown_revision = {down!r}\n{more}\ndef upgrade(): pass\ndef downgrade(): pass\n"
    )


def read(directory: Path) -> dict[str, Migration]:
    return ALEMBIC.files.read(directory).by_version


def test_revisions_come_after_what_they_build_upon(tmp_path: Path) -> None:
    write(
        tmp_path,
        last=revision("aa", ("bb", "cc")),
        left=revision("bb", "dd"),
        right=revision("cc", "dd", "depends_on = ['bb']"),
        first=revision("dd", None),
    )
    found = read(tmp_path)

    assert list(found) == ["dd", "bb", "cc", "aa"]
    assert found["aa"].parents == ("bb", "cc")
    assert (found["cc"].parents, found["cc"].depends_on) == (("dd", "bb"), ("bb",))
    assert found["dd"].foreign == "an Alembic revision"


@pytest.mark.parametrize(
    "text",
    [
        "revision = 'ab12'\ndown_revision = None\n",
        "revision: str = 'ab12'\ndown_revision: str | None = None\n",
        "OWN = 'ab12'\nrevision = OWN\ndown_revision: object = None\n",
        "# -*- coding: latin-1 -*-\nrevision = 'ab12' # \xe9\n",
    ],
)
def test_the_declarations_are_read_in_every_usual_form(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_bytes(text.encode("latin-1"))
    assert list(read(tmp_path)) == ["ab12"]


def test_the_docstring_names_a_revision_and_the_file_name_where_there_is_none(tmp_path: Path) -> None:
    write(
        tmp_path,
        aa_add_users=revision("aa", None),
        x='"""Add orders\n\nRevision ID: bb\n"""\n' + revision("bb", "aa"),
    )
    assert [each.name for each in read(tmp_path).values()] == ["add_users", "Add orders"]


def test_without_a_downgrade_there_is_no_way_down(tmp_path: Path) -> None:
    write(tmp_path, x="revision = 'ab'\ndef upgrade(): pass\n")
    assert read(tmp_path)["ab"].file(Direction.DOWN) is None


def test_a_dependency_may_be_a_branch_label(tmp_path: Path) -> None:
    write(
        tmp_path,
        one=revision("aa", None, "branch_labels = ('shop',)"),
        two=revision("bb", None, "depends_on = 'shop'"),
    )
    assert read(tmp_path)["bb"].parents == ("aa",)


def test_files_that_alembic_does_not_take_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, __init__="raise SystemExit", aa=revision("aa", None))
    write(tmp_path / "deeper", bb=revision("bb", "aa"))
    (tmp_path / ".#aa.py").write_text("an editor's lock")
    assert list(read(tmp_path)) == ["aa"]


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        ({"x": revision("aa", None), "y": revision("aa", None)}, "duplicate-migration", "x.py and y.py"),
        ({"x": revision("aa", "zz")}, "unknown-revision", "builds upon zz"),
        ({"x": revision("aa", "bb"), "y": revision("bb", "aa")}, "revision-cycle", "aa -> bb -> aa"),
        ({"x": revision("aa", None, "depends_on = 'aa'")}, "revision-cycle", "aa -> aa"),
        ({"x": "def f(:\n"}, "unreadable-revision", "not Python"),
        ({"x": "import os\n"}, "unreadable-revision", "declares no `revision`"),
        ({"x": "revision = make()\n"}, "unreadable-revision", "`revision` is not a plain text"),
        ({"x": "revision = 'a@b'\n"}, "unreadable-revision", "no id of a revision"),
        ({"x": revision("aa", 7)}, "unreadable-revision", "`down_revision` is not"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(
    files: dict[str, str], code: str, words: str, tmp_path: Path
) -> None:
    write(tmp_path, **files)
    with pytest.raises(SourceError, match=words.replace("`", ".")) as caught:
        read(tmp_path)
    assert caught.value.code == code
    assert caught.value.where
    assert Path(caught.value.where.file).parent == tmp_path


def test_a_name_from_before_revisions_were_declared_is_the_id(tmp_path: Path) -> None:
    write(tmp_path, abc123="down_revision = None\n")
    assert list(read(tmp_path)) == ["abc123"]


def test_the_environment_is_found_from_each_of_its_folders(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s/db/scripts\nprepend_sys_path = .:src\n"
        "sqlalchemy.url = postgresql://%(USER)s@h/%%41\n"
    )
    script = tmp_path / "db" / "scripts"
    write(script / "versions", aa=revision("aa", None))
    (script / "env.py").write_text("")

    found = find_places(tmp_path)

    assert found.script == script
    assert found.versions == (script / "versions",)
    assert found.imports == (tmp_path, tmp_path / "src")
    assert find_places(script) == find_places(script / "versions") == found


def test_without_a_configuration_the_folder_with_env_py_is_enough(tmp_path: Path) -> None:
    write(tmp_path / "versions", aa=revision("aa", None))
    (tmp_path / "env.py").write_text("")

    for folder in (tmp_path, tmp_path / "versions"):
        assert find_places(folder).script == tmp_path
        assert list(read(folder)) == ["aa"]


def test_pyproject_may_be_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.alembic]\nscript_location = "%(here)s/m"\nrecursive_version_locations = true\n'
        'version_locations = ["%(here)s/one", "two"]\n'
    )
    write(tmp_path / "one" / "deeper", aa=revision("aa", None))
    write(tmp_path / "two", bb=revision("bb", "aa"))
    (tmp_path / "m").mkdir()

    assert list(read(tmp_path)) == ["aa", "bb"]
    assert list(read(tmp_path / "two")) == ["aa", "bb"]


@pytest.mark.parametrize("separator", ["", "path_separator = os\n", "version_path_separator = :\n"])
def test_several_folders_are_read_in_each_separation(separator: str, tmp_path: Path) -> None:
    between = ":" if separator else " "
    (tmp_path / "alembic.ini").write_text(
        f"[alembic]\nscript_location = m\n{separator}version_locations = %(here)s/one{between}%(here)s/two\n"
    )
    assert find_places(tmp_path).versions == (tmp_path / "one", tmp_path / "two")


def test_a_package_is_found_by_its_folder_or_named(tmp_path: Path) -> None:
    ini = tmp_path / "alembic.ini"
    ini.write_text("[alembic]\nscript_location = app.db:migrations\nprepend_sys_path = src\n")
    with pytest.raises(SourceError, match=r"the package 'app\.db'"):
        find_places(tmp_path)
    (tmp_path / "src/app/db/migrations").mkdir(parents=True)

    assert find_places(tmp_path).script == tmp_path / "src/app/db/migrations"


def test_a_pyproject_of_something_else_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["alembic"]\n')
    assert find_places(tmp_path) == Places(tmp_path, None, (tmp_path,))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("context.configure(version_table='mine')", (None, "mine")),
        ("T = 'mine'\ncontext.configure(version_table_schema='audit', version_table=T)", ("audit", "mine")),
        ("context.configure(url=u, version_table='a')\ncontext.configure(version_table='a')", (None, "a")),
        ("context.configure(version_table='a')\ncontext.configure(version_table='b')", (None, None)),
        ("context.configure(version_table=settings.table, **more)", (None, None)),
        ("not python(", (None, None)),
    ],
)
def test_env_py_may_say_where_the_history_is(
    text: str, name: tuple[str | None, str | None], tmp_path: Path
) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(text)
    assert ALEMBIC.files.history_name(tmp_path) == name  # type: ignore[attr-defined]


def test_versions_are_found_by_parts_labels_and_names_of_ends(tmp_path: Path) -> None:
    write(
        tmp_path, x=revision("abcd11", None), y=revision("abcd22", "abcd11"), z=revision("ffff00", "abcd22")
    )
    source = ALEMBIC.files.read(tmp_path)
    parse = ALEMBIC.files.parse_version

    assert parse("ffff", source) == parse("head", source) == "ffff00"
    assert parse("base", source) == "0"
    assert parse("fff", source) == "fff"  # too short for a part: an id that no file has
    with pytest.raises(ConfigError, match="abcd11, abcd22"):
        parse("abcd", source)
    for wrong in ("+1", "shop@head", ""):
        with pytest.raises(ConfigError):
            parse(wrong, source)


@st.composite
def graphs(draw: st.DrawFn) -> list[Revision]:
    """Revisions of any shape, with dependencies across, shuffled."""
    size = draw(st.integers(1, 12))
    numbers = draw(st.permutations(range(size)))
    made = []
    for index, number in enumerate(numbers):
        earlier = [f"r{each:02}" for each in numbers[:index]]
        some = st.lists(st.sampled_from(earlier), max_size=3, unique=True) if earlier else st.just([])
        down, needs = draw(some), draw(some)
        made.append(Revision(f"r{number:02}", (*down,), (*needs,), (), "", Path("x.py"), 1, goes_down=True))
    random.Random(draw(st.integers())).shuffle(made)
    return made


def source_of(revisions: list[Revision]) -> Source:
    ordered = _in_order({each.id: each for each in revisions})
    return Source(
        Path(),
        tuple(
            Migration(
                each.id,
                "",
                each.file,
                each.file,
                "an Alembic revision",
                tuple(dict.fromkeys((*each.down, *each.depends_on))),
                tuple(set(each.depends_on) - set(each.down)),
            )
            for each in ordered
        ),
    )


def history_of(source: Source, applied: set[str]) -> History:
    """What Alembic's table says of this set: those that nothing applied builds upon."""
    below = {parent for version in applied for parent in source.by_version[version].parents}
    return History(TABLE, exists=True, applied=tuple(map(Applied, sorted(applied - below))))


@given(graphs())
def test_the_order_is_topological_and_always_the_same(revisions: list[Revision]) -> None:
    ordered = [each.id for each in _in_order({each.id: each for each in revisions})]

    assert sorted(ordered) == sorted(each.id for each in revisions)
    for each in revisions:
        assert all(
            ordered.index(parent) < ordered.index(each.id) for parent in (*each.down, *each.depends_on)
        )
    again = sorted(revisions, key=lambda each: each.id, reverse=True)
    assert [each.id for each in _in_order({each.id: each for each in again})] == ordered


@given(graphs(), st.data())
def test_heads_tell_exactly_what_is_applied(revisions: list[Revision], data: st.DataObject) -> None:
    source = source_of(revisions)
    some = data.draw(st.lists(st.sampled_from(list(source.by_version))))
    applied = ancestors(source, some)

    assert set(stand(ALEMBIC, source, history_of(source, applied)).applied) == applied


@given(graphs(), st.data())
def test_plans_never_run_a_revision_before_what_it_builds_upon(
    revisions: list[Revision], data: st.DataObject
) -> None:
    source = source_of(revisions)
    applied = ancestors(source, data.draw(st.lists(st.sampled_from(list(source.by_version)))))
    target = data.draw(st.sampled_from(list(source.by_version)))

    for step in plan_up(ALEMBIC, source, history_of(source, applied), to=target).steps:
        assert applied >= set(step.migration.parents)
        applied.add(step.migration.version)
    assert applied >= ancestors(source, [target])

    for step in plan_down(ALEMBIC, source, history_of(source, applied), to=target).steps:
        left = applied - {step.migration.version}
        assert not any(step.migration.version in source.by_version[each].parents for each in left)
        applied = left
    assert target in applied


@given(graphs())
def test_newest_are_those_that_no_other_follows(revisions: list[Revision]) -> None:
    newest = {each.id for each in heads(revisions)}
    assert newest == {each.id for each in revisions} - {down for each in revisions for down in each.down}
