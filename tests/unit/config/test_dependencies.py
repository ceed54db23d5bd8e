"""`depends-on`: names that are there, and no circle."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.config.dependencies import find_cycle
from howdah.config.project import load_project
from howdah.errors import ConfigError

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
GRAPHS = st.dictionaries(NAMES, st.lists(NAMES, max_size=4))


def refusal(folder: Path, text: str) -> ConfigError:
    (folder / "howdah.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_project(folder)
    return caught.value


def test_the_names_are_read_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "howdah.toml").write_text(
        "[database.b]\ndepends-on = ['c', 'a']\n[database.a]\n[database.c]\n"
    )
    project = load_project(tmp_path)
    assert {each.name: each.depends_on for each in project.databases} == {"b": ("c", "a"), "a": (), "c": ()}


def test_an_unknown_name_is_refused_at_its_line_with_the_near_one(tmp_path: Path) -> None:
    error = refusal(tmp_path, "[database.auth]\n[database.chat]\nurl = '${X}'\ndepends-on = ['auht']\n")
    assert (error.code, error.where and error.where.line) == ("unknown-database", 4)
    assert "[database.chat] depends on 'auht'" in error.message
    assert error.fix == "Did you mean 'auth'?"


ROUND = """\
[database.z]
depends-on = ['a']
[database.a]
depends-on = ['b']
[database.b]
depends-on = ['a']
"""


@pytest.mark.parametrize(
    ("text", "line", "circle"),
    [("[database.a]\ndepends-on = ['a']\n", 2, "a -> a"), (ROUND, 4, "a -> b -> a")],
)
def test_a_circle_is_refused_at_one_of_its_lines(tmp_path: Path, text: str, line: int, circle: str) -> None:
    error = refusal(tmp_path, text)
    assert (error.code, error.where and error.where.line) == ("dependency-circle", line)
    assert error.message.endswith(circle)


@given(GRAPHS)
def test_a_circle_is_one_and_where_there_is_none_an_order_exists(graph: dict[str, list[str]]) -> None:
    circle = find_cycle(graph)
    for name, following in zip(circle, circle[1:] + circle[:1], strict=True):
        assert following in graph[name]
    # taking away what depends on nothing that is left ends with nothing exactly where there is no circle
    left = {name: set(wanted) & set(graph) for name, wanted in graph.items()}
    while free := {name for name, wanted in left.items() if not wanted & set(left)}:
        left = {name: wanted for name, wanted in left.items() if name not in free}
    assert bool(left) == bool(circle)


def test_a_long_chain_is_no_matter_of_the_stack() -> None:
    chain: dict[str, list[str]] = {str(number): [str(number + 1)] for number in range(5000)}
    assert find_cycle(chain) == ()
    assert len(find_cycle({**chain, "5000": ["0"]})) == 5001
