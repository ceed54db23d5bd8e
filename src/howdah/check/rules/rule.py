"""What a rule is: a name, and what it says of a statement that was observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from howdah.check.wording import Wording
from howdah.observe.effect import Change, ChangeKind, Effect, Lock, Work, WorkKind
from howdah.observe.verdict import Verdict, judge
from howdah.rehearse.observed import ObservedStatement


@dataclass(frozen=True)
class Seen:
    """One statement as a rule sees it, the verdict on it, and the statements of its transaction before it."""

    statement: ObservedStatement
    verdict: Verdict
    earlier: tuple[ObservedStatement, ...] = ()

    @property
    def effect(self) -> Effect:
        """What it did."""
        return self.statement.effect

    @cached_property
    def wording(self) -> Wording:
        """Its words."""
        return Wording(self.statement.text)

    @cached_property
    def taken(self) -> tuple[Lock, ...]:
        """The locks it took that an application waits for."""
        return tuple(each for each in self.effect.taken if each.blocks)

    @cached_property
    def inherited(self) -> tuple[Lock, ...]:
        """The locks of earlier statements, still held, that an application waits for."""
        own = {each.relation for each in self.taken}
        return tuple(each for each in self.effect.held if each.blocks and each.relation not in own)

    @property
    def blocking(self) -> tuple[Lock, ...]:
        """The locks that an application waits for: its own; where it takes none, those it came upon."""
        return self.taken or self.inherited

    @property
    def writes_rows(self) -> bool:
        """Whether it writes rows; on tables that have none, its words say so."""
        return bool(self.work(WorkKind.ROWS)) or any(
            self.wording.starts(each) for each in ("UPDATE", "DELETE", "MERGE")
        )

    def work(self, *kinds: WorkKind) -> tuple[Work, ...]:
        """Its work of these kinds."""
        return tuple(each for each in self.effect.work if each.kind in kinds)

    def changes(self, *kinds: ChangeKind) -> tuple[Change, ...]:
        """Its changes of these kinds."""
        return tuple(each for each in self.effect.changes if each.kind in kinds)

    def breaking(self, kind: ChangeKind) -> tuple[Change, ...]:
        """Its changes of this kind that programs fail by, and by which no data is lost."""
        return tuple(
            each for each in self.changes(kind) if judge(Effect(changes=(each,))) is Verdict.BREAKING
        )


@dataclass(frozen=True)
class Says:
    """What a rule says: the message tells what would happen to the application, why and fix are sentences.

    `line` is where to look in the file, where a rule about a whole step speaks; None: at the statement.
    """

    message: str
    why: str
    fix: str
    line: int | None = None


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        name: kebab-case; a finding's code, and what `-- howdah: allow` names.
        verdict: what its finding weighs.
        look: what it has to say of a statement; None: nothing.
    """

    name: str
    verdict: Verdict
    look: Callable[[Seen], Says | None]


@dataclass(frozen=True)
class StepRule:
    """A rule about a step as a whole."""

    name: str
    verdict: Verdict
    look: Callable[[Sequence[Seen]], Says | None]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key as the catalogue has it; names are as SQL takes them, columns in the order of the key."""

    oid: int
    name: str
    table: str
    columns: tuple[str, ...]
    parent: str


@dataclass(frozen=True)
class KeyRule:
    """A rule about a foreign key that a step made and that is there when all have run."""

    name: str
    verdict: Verdict
    look: Callable[[ForeignKey], Says | None]


def nobody_can(locks: Iterable[Lock]) -> str:
    """What the locks keep the application from, by table: "nobody can read or write a and b, or write c"."""
    strongest = {
        each.relation: each.mode
        for each in sorted(locks, key=lambda each: (each.mode.strength, each.relation))
    }
    closed = sorted(name for name, mode in strongest.items() if mode.blocks_reads)
    unwritable = sorted(name for name, mode in strongest.items() if not mode.blocks_reads)
    both = f"read or write {listed(closed)}" if closed else ""
    write = f"write {listed(unwritable)}" if unwritable else ""
    return f"nobody can {', or '.join(filter(None, [both, write]))}"


def held_through(seen: Seen) -> str:
    """Which locks it held through which work, as observed: the `why` of what blocks."""
    locks = listed(f"{each.mode.value} on {each.relation}" for each in (*seen.taken, *seen.inherited))
    by_size = [each for each in seen.effect.work if each.kind not in (WorkKind.ROWS, WorkKind.TRUNCATE)]
    work = listed(dict.fromkeys(f"a {each.kind.value} of {each.index or each.relation}" for each in by_size))
    return f"It was seen to hold {locks} through {work.replace('a index', 'an index')}."


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: "a, b and c"; of many, the first few."""
    found = list(names)
    if len(found) > 5:
        found = [*found[:4], f"{len(found) - 4} more"]
    return " and ".join(filter(None, [", ".join(found[:-1]), found[-1] if found else ""]))
