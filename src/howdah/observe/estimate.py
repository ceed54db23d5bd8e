"""Weigh what was observed on empty tables by the size and the traffic of the real ones. Pure.

The rates are what one session does, from a disk of a small cloud volume to a warm cache on a fast machine;
docs/explanation/estimates.md says where they come from, and benchmarks/rates.py measures them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from howdah.observe.amounts import Range, say_bytes, say_count
from howdah.observe.effect import Change, ChangeKind, Effect, Lock, Work, WorkKind
from howdah.observe.sizes import Stats, TableSize
from howdah.observe.verdict import Verdict, judge, worst

_MB = 1024 * 1024
# Nobody notices: as long as an application's own statement may take.
_TINY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast one kind of work goes, at its slowest and at its fastest; what takes longer counts, bytes or rows."""

    slow_bytes: float
    fast_bytes: float
    slow_rows: float
    fast_rows: float

    def seconds(self, size_bytes: float, rows: float) -> Range:
        """The time for so much."""
        fast = max(size_bytes / self.fast_bytes, rows / self.fast_rows)
        return Range(fast, max(size_bytes / self.slow_bytes, rows / self.slow_rows))


RATES: Mapping[WorkKind, Rate] = {
    WorkKind.SCAN: Rate(50 * _MB, 4000 * _MB, 1.5e6, 30e6),
    # Of a foreign key: both tables are joined.
    WorkKind.INDEX_SCAN: Rate(25 * _MB, 4000 * _MB, 0.5e6, 20e6),
    WorkKind.INDEX_BUILD: Rate(20 * _MB, 2000 * _MB, 0.3e6, 10e6),
    WorkKind.INDEX_REBUILD: Rate(20 * _MB, 2000 * _MB, 0.3e6, 10e6),
    # With all indexes, which are built again.
    WorkKind.REWRITE: Rate(10 * _MB, 300 * _MB, 0.1e6, 4e6),
}


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a statement would do in production.

    Attributes:
        verdict: with the sizes known.
        seconds: how long its work would take there; None: none that depends on a size.
        why: what it was weighed by, in sentences; "" where sizes change nothing.
        wal_bytes: written to the log there, and sent to each replica.
        disk_bytes: needed beside what is there, until the transaction ends.
        waiting: statements of the application that would wait, at the longest and at the most, as a statement may write
            several rows; None: not known, or nobody waits.
    """

    verdict: Verdict
    seconds: Range | None = None
    why: str = ""
    wal_bytes: int = 0
    disk_bytes: int = 0
    waiting: float | None = None


def weigh(effect: Effect, verdict: Verdict, stats: Stats) -> Weighed:
    """The verdict of one statement, and what it costs, where the tables are as large as `stats` says.

    A table that is not there yet is not in use. What takes less than 50 ms at its slowest is not counted as long.
    A verdict that does not come from the effect stays.
    """
    seen = _in_use(effect, stats)
    sizes = {each.relation: size for each in seen.work if (size := stats.find(each.relation))}
    seconds = _seconds(seen.work, sizes)
    is_tiny = seconds is not None and seconds.high <= _TINY_SECONDS
    weighed = verdict
    if verdict is judge(effect):
        weighed = judge(seen)
        if is_tiny:
            weighed = _without_size(seen, weighed)
    wal, disk = _space(seen.work, sizes)
    waiting = None
    if seconds is not None and weighed is Verdict.UNSAFE:
        waiting = _waiting(seen.held, stats, seconds)
    why = _why(seen, effect, sizes, seconds, stats)
    if waiting is not None and waiting >= 1:
        why += f" Up to about {say_count(waiting)} statements of the application would wait meanwhile."
    return Weighed(weighed, seconds, why, wal, disk, waiting)


def follow(stats: Stats, effect: Effect) -> Stats:
    """The stats as they are behind a statement: what it renamed has its new name, what it dropped is gone."""
    tables = list(stats.tables)
    for change in effect.changes:
        if change.kind is ChangeKind.DROPPED:
            tables = [each for each in tables if not _is_of(each.name, change)]
        elif change.to and change.kind in (ChangeKind.RENAMED, ChangeKind.REPLACED):
            tables = [_renamed(each, change) for each in tables]
    return stats if tables == list(stats.tables) else replace(stats, tables=tuple(tables))


def work_seconds(kind: WorkKind, size: TableSize) -> Range:
    """How long one piece of work takes on a table of that size."""
    if kind is WorkKind.REWRITE:
        return RATES[kind].seconds(size.bytes, size.rows)
    return RATES[kind].seconds(size.heap_bytes, size.rows)


def _in_use(effect: Effect, stats: Stats) -> Effect:
    """The effect on what is there in production."""
    return replace(
        effect,
        taken=_known(effect.taken, stats),
        held=_known(effect.held, stats),
        work=tuple(each for each in effect.work if stats.find(each.relation)),
        changes=tuple(each for each in effect.changes if _concerns(each, stats)),
    )


def _known(locks: Iterable[Lock], stats: Stats) -> tuple[Lock, ...]:
    return tuple(each for each in locks if stats.find(each.relation))


def _concerns(change: Change, stats: Stats) -> bool:
    """Whether something changed that is there: a table, or what belongs to one; of all else nobody knows."""
    if change.object in {"table", "materialized view"}:
        return stats.find(change.name) is not None
    if change.object == "column":
        return any(change.name.startswith(f"{each}.") for each in stats.by_name)
    return True


def _seconds(work: tuple[Work, ...], sizes: Mapping[str, TableSize]) -> Range | None:
    """All of it, one after the other; what belongs to a rewrite is in it."""
    rewritten = {each.relation for each in work if each.kind is WorkKind.REWRITE}
    total = None
    for each in work:
        if each.kind not in RATES or (each.relation in rewritten and each.kind is not WorkKind.REWRITE):
            continue
        seconds = work_seconds(each.kind, sizes[each.relation])
        total = seconds if total is None else total + seconds
    return total


def _without_size(effect: Effect, verdict: Verdict) -> Verdict:
    """The verdict on work that is over at once."""
    rest = judge(replace(effect, work=tuple(each for each in effect.work if each.kind not in RATES)))
    return worst([rest, Verdict.BRIEF]) if verdict is Verdict.UNSAFE else rest


def _space(work: tuple[Work, ...], sizes: Mapping[str, TableSize]) -> tuple[int, int]:
    """WAL, and disk at the peak: old and new are both there until the end."""
    rewritten = {each.relation for each in work if each.kind is WorkKind.REWRITE}
    peak = sum(sizes[name].bytes for name in rewritten)
    wal = float(peak)
    for each in work:
        if each.kind in {WorkKind.INDEX_BUILD, WorkKind.INDEX_REBUILD} and each.relation not in rewritten:
            entries = _index_bytes(sizes[each.relation])
            peak += entries
            wal += entries
    return round(wal * _WAL_PER_BYTE), peak


def _index_bytes(size: TableSize) -> int:
    """About what one index takes: 30 bytes an entry, as one of bigint or of short text."""
    return size.rows * 30


# Full pages and their headers: a rewrite of 157 MB and three indexes wrote 217 to 233 MB.
_WAL_PER_BYTE = 1.1


def _waiting(held: tuple[Lock, ...], stats: Stats, seconds: Range) -> float | None:
    """How many statements come while it takes the longest, on all tables that are locked against them."""
    total = None
    for lock in held:
        size = stats.find(lock.relation)
        if size is None or not lock.mode.blocks_writes:
            continue
        rate = stats.per_second(size.writes + (size.reads if lock.mode.blocks_reads else 0))
        if rate is not None:
            total = (total or 0.0) + rate * seconds.high
    return total


def _why(
    seen: Effect,
    effect: Effect,
    sizes: Mapping[str, TableSize],
    seconds: Range | None,
    stats: Stats,
) -> str:
    sentences = [_sized(each) for each in sizes.values()]
    if seconds is not None:
        sentences.append(f"There it would take {seconds}.")
    named = dict.fromkeys(
        [*(each.relation for each in effect.work), *(each.relation for each in effect.held)]
    )
    gone = [name for name in named if stats.find(name) is None]
    sentences += [f"{name} is not in production yet: nothing uses it." for name in gone]
    sentences += [_parted(each, stats) for each in seen.held if _lacks_partitions(each, seen, stats)]
    return " ".join(sentences)


def _sized(size: TableSize) -> str:
    guessed = ", by its bytes, as it was never analysed" if size.rows_are_guessed else ""
    return f"{size.name} has about {say_count(size.rows)} rows and {say_bytes(size.bytes)} in production{guessed}."


def _lacks_partitions(lock: Lock, seen: Effect, stats: Stats) -> bool:
    """Whether a parent was locked that has partitions in production only: work on them could not be observed."""
    size = stats.find(lock.relation)
    return size is not None and size.partitions > 0 and lock.mode.blocks_writes and not seen.work


def _parted(lock: Lock, stats: Stats) -> str:
    size = stats.by_name[lock.relation]
    return (
        f"{size.name} has {size.partitions} partitions with {say_bytes(size.bytes)} in production;"
        " what is done to partitions that the migrations do not make was not observed."
    )


def _is_of(name: str, change: Change) -> bool:
    return name == change.name or (change.object == "schema" and name.startswith(f"{change.name}."))


def _renamed(size: TableSize, change: Change) -> TableSize:
    """The size under the new name of its table or its schema; `to` is a name by itself, or a qualified one."""
    if not _is_of(size.name, change):
        return size
    if change.object == "schema":
        return replace(size, name=change.to + size.name.removeprefix(change.name))
    schema = size.name[: len(size.name) - len(_last_part(size.name))]
    return replace(size, name=change.to if _last_part(change.to) != change.to else schema + change.to)


def _last_part(name: str) -> str:
    """The name behind the schema: dots in quotes part nothing."""
    is_quoted = False
    start = 0
    for place, letter in enumerate(name):
        if letter == '"':
            is_quoted = not is_quoted
        elif letter == "." and not is_quoted:
            start = place + 1
    return name[start:]
