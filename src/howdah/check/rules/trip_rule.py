"""What a rule about a round trip is: what it says of a migration that was tried up, down and up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from howdah.migrate.migration import Direction
from howdah.observe.verdict import Verdict
from howdah.rehearse.trip import RoundTrip, WayBack

if TYPE_CHECKING:  # loads the driver
    from howdah.schema.compare import Difference


@dataclass(frozen=True)
class TripSays:
    """What such a rule says.

    Attributes:
        direction: whose file it is about.
        mend: statements that mend it; each was run, and did.
    """

    message: str
    why: str
    fix: str
    direction: Direction = Direction.DOWN
    mend: tuple[str, ...] = ()


@dataclass(frozen=True)
class TripRule:
    """A rule about one migration's way there and back."""

    name: str
    verdict: Verdict
    look: Callable[[RoundTrip], TripSays | None]


@dataclass(frozen=True)
class ChainRule:
    """A rule about the way back of all migrations together."""

    name: str
    verdict: Verdict
    look: Callable[[WayBack], TripSays | None]


def shown(differences: Sequence[Difference]) -> str:
    """Differences in a sentence: the first few."""
    names = [f"{each.kind} {each.name}" for each in differences]
    return ", ".join(names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"])


def told(differences: Sequence[Difference]) -> str:
    """The first few differences with their definitions: the end of a sentence."""
    more = [f"{len(differences) - 4} more"] if len(differences) > 4 else []
    return "; ".join([*map(_in_a_line, differences[:4]), *more])


def _in_a_line(difference: Difference) -> str:
    """The difference in one line: of a longer definition that changed, its first lines that are other."""
    head, *lines = str(difference).split("\n")
    if difference.before is None or difference.after is None or not lines:
        return head.removesuffix(":")
    gone, come = (next((each for each in lines if each.strip().startswith(sign)), "") for sign in "-+")
    return " ".join([head, *" ".join(filter(None, [gone, come])).split()])


def mending(mend: Sequence[str]) -> str:
    """What to do: the statements are shown behind it."""
    if mend:
        return "Add the statements below to the `down`; each was run here, and did away with its part."
    return "Mend the `down`, so that it takes back exactly what the `up` does."
