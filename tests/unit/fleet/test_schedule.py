"""Which database comes next: judged by running random schedules to their ends, in random orders."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from howdah.fleet.schedule import Schedule, in_order

NAMES = "abcdefgh"


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Databases in any order, each depending on some that come before it in another order: no circle."""
    ranked = draw(st.permutations(NAMES))[: draw(st.integers(0, len(NAMES)))]
    edges = {
        name: tuple(each for each in ranked[:index] if draw(st.booleans()))
        for index, name in enumerate(ranked)
    }
    return {name: edges[name] for name in draw(st.permutations(ranked))}


def below(graph: dict[str, tuple[str, ...]], name: str) -> set[str]:
    """All that a database depends on, directly or not."""
    return set(graph[name]).union(*(below(graph, each) for each in graph[name]))


@given(graphs(), st.sets(st.sampled_from(NAMES)), st.integers(1, 4), st.data())
def test_each_starts_once_behind_what_it_depends_on_or_is_skipped_for_what_failed(
    graph: dict[str, tuple[str, ...]], bad: set[str], threads: int, data: st.DataObject
) -> None:
    schedule = Schedule(graph)
    started: list[str] = []
    while not schedule.is_over:
        while len(schedule.running) < threads and (name := schedule.following) is not None:
            assert name not in started
            assert all(schedule.ended[each] for each in graph[name])
            started.append(name)
            schedule = schedule.start(name)
        assert schedule.running, "nothing runs and it is not over"
        ended = data.draw(st.sampled_from(sorted(schedule.running)))
        schedule = schedule.end(ended, is_well=ended not in bad)

    failed = bad & set(started)
    assert schedule.skipped() == {
        name: tuple(each for each in graph if each in below(graph, name) & failed)
        for name in graph
        if below(graph, name) & failed
    }
    assert set(started) | set(schedule.skipped()) == set(graph)
    assert not set(started) & set(schedule.skipped())


@given(graphs())
def test_the_order_puts_everything_behind_what_it_depends_on(graph: dict[str, tuple[str, ...]]) -> None:
    order = in_order(graph)
    assert sorted(order) == sorted(graph)
    assert all(order.index(each) < order.index(name) for name in graph for each in graph[name])


def test_what_depends_on_nothing_keeps_the_order_of_the_file() -> None:
    assert in_order({"c": (), "a": (), "b": ()}) == ("c", "a", "b")
    assert in_order({"chat": ("auth",), "files": (), "auth": ()}) == ("files", "auth", "chat")


def test_what_is_skipped_is_known_as_soon_as_what_it_depends_on_has_failed() -> None:
    schedule = (
        Schedule({"a": (), "b": ("a",), "c": ("b",), "d": ()}).start("a").start("d").end("a", is_well=False)
    )
    assert schedule.skipped() == {"b": ("a",), "c": ("a",)}
    assert not schedule.is_over
