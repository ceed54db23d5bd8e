"""`depends-on` of the databases of a project: names that are there, and no circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from howdah.config.keywords import near_name
from howdah.errors import ConfigError


def find_cycle(depends_on: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Names each of which depends on the next, and the last on the first; () where there is no circle.

    A name that is no key depends on nothing.
    """
    ended: set[str] = set()
    for start in depends_on:
        path = {start: iter(depends_on[start])}  # in the order they were come to
        while path:
            name, rest = next(reversed(path.items()))
            following = next((each for each in rest if each not in ended), None)
            if following is None:
                del path[name]
                ended.add(name)
            elif following in path:
                names = list(path)
                return tuple(names[names.index(following) :])
            else:
                path[following] = iter(depends_on.get(following, ()))
    return ()


def dependency_problems(
    depends_on: Mapping[str, Sequence[str]],
) -> Iterator[tuple[tuple[str | int, ...], ConfigError]]:
    """What is wrong with the names, each with its place below `database` of the file."""
    for name, wanted in depends_on.items():
        for index, each in enumerate(wanted):
            if each not in depends_on:
                near = near_name(each, depends_on)
                yield (
                    (name, "depends-on", index),
                    ConfigError(
                        f"[database.{name}] depends on '{each}', which is none of the project's databases",
                        code="unknown-database",
                        fix=f"Did you mean '{near}'?" if near else f"There are {', '.join(depends_on)}.",
                    ),
                )
    if circle := find_cycle(depends_on):
        yield (
            (circle[0], "depends-on"),
            ConfigError(
                f"the databases depend on each other in a circle: {' -> '.join((*circle, circle[0]))}",
                code="dependency-circle",
                why="None of them could be the first to be migrated.",
                fix="Take one name out of `depends-on`.",
            ),
        )
