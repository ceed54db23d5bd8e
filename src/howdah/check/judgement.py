"""What the rules say of a step that was observed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from howdah.check.report import RuleFinding, SafeStep, StatementReport
from howdah.check.rules import BLOCKING, CHAIN, CHANGING, FAILING, KEYS, NOTES, TRIPS, migration_fails
from howdah.check.rules.rule import ForeignKey, KeyRule, Rule, Says, Seen, StepRule
from howdah.check.rules.trip_rule import ChainRule, TripRule, TripSays
from howdah.errors import ForeignStep, Where
from howdah.findings import Finding, Severity
from howdah.migrate.migration import Migration
from howdah.observe.effect import Effect
from howdah.observe.verdict import Verdict, judge
from howdah.rehearse.observed import ObservedStep
from howdah.rehearse.trip import RoundTrip, WayBack

Weigh = Callable[[Effect], tuple[Verdict, str]]


def unweighed(effect: Effect) -> tuple[Verdict, str]:
    """The verdict where no sizes are known."""
    return judge(effect), ""


@dataclass(frozen=True)
class Judged:
    """A step's statements with what the rules say of each, and what they say of the whole of it."""

    step: ObservedStep
    statements: tuple[StatementReport, ...]
    findings: tuple[RuleFinding, ...] = ()


def judge_step(step: ObservedStep, *, weigh: Weigh = unweighed) -> Judged:
    """What the rules say; `weigh` gives the verdict on an effect, and the reason in sentences where sizes are one."""
    file = str(step.step.file)
    weights = [weigh(each.effect) for each in step.statements]
    seen = [
        Seen(each, verdict, step.statements[:place] if step.transactional else ())
        for place, (each, (verdict, _)) in enumerate(zip(step.statements, weights, strict=True))
    ]
    notes = ((rule, says) for rule in NOTES if (says := rule.look(seen)))
    return Judged(
        step,
        tuple(_report(each, file, why) for each, (_, why) in zip(seen, weights, strict=True)),
        (*_failure(step), *(_finding(rule, says, Where(file, says.line)) for rule, says in notes)),
    )


def _failure(step: ObservedStep) -> tuple[RuleFinding, ...]:
    """That it failed where no statement did: at its commit, say."""
    failure = step.failure
    if (
        failure is None
        or isinstance(failure, ForeignStep)
        or any(each.effect.error for each in step.statements)
    ):
        return ()
    finding = replace(Finding.of(failure), code=migration_fails.RULE.name, severity=Severity.ERROR)
    return (RuleFinding(finding, Verdict.FAILS),)


def doubted(judged: Judged) -> Judged:
    """The same of a step behind one that could not be run here: if it fails, that one may have made what it lacks."""
    statements = (
        replace(each, verdict=Verdict.UNKNOWN, findings=tuple(map(doubt, each.findings)))
        if each.verdict is Verdict.FAILS
        else each
        for each in judged.statements
    )
    return replace(judged, statements=tuple(statements), findings=tuple(map(doubt, judged.findings)))


def doubt(found: RuleFinding) -> RuleFinding:
    """A failure as something that is not known."""
    if found.verdict is not Verdict.FAILS:
        return found
    finding = replace(
        found.finding,
        severity=Severity.WARNING,
        message=found.finding.message.replace("it fails", "it fails here", 1),
        why="A migration before it is no SQL and was not run: that one may make what this one lacks.",
        fix="Name the command that runs such migrations, in [database.NAME.foreign] of howdah.toml.",
    )
    return replace(found, finding=finding, verdict=Verdict.UNKNOWN)


def judge_keys(judged: Sequence[Judged], keys: Iterable[ForeignKey]) -> tuple[Judged, ...]:
    """The same, with what the rules say of foreign keys that these steps made, where a statement speaks of each."""
    result = list(judged)
    for key in keys:
        place, line = _maker(judged, key)
        file = str(result[place].step.step.file)
        said = ((rule, says) for rule in KEYS if (says := rule.look(key)))
        found = tuple(_finding(rule, says, Where(file, line)) for rule, says in said)
        result[place] = replace(result[place], findings=(*result[place].findings, *found))
    return tuple(result)


def _maker(judged: Sequence[Judged], key: ForeignKey) -> tuple[int, int | None]:
    """The step that last gives this table a foreign key of these columns, and on which line; else the last one.

    Another table's foreign key may name the table as its parent: the words before REFERENCES tell.
    """
    for place in range(len(judged) - 1, -1, -1):
        for statement in reversed(judged[place].statements):
            before, is_there, _ = statement.text.lower().rpartition("references")
            if (
                is_there
                and _names(before.partition("(")[0], key.table.rpartition(".")[2])
                and all(_names(before, each) for each in key.columns)
            ):
                return place, statement.line
    return len(judged) - 1, None


def _names(text: str, name: str) -> bool:
    """Whether the text, in lower case, has this name in it, as a whole word."""
    bare = re.escape(name.strip('"').lower())
    return re.search(rf"(?<!\w){bare}(?!\w)", text) is not None


def judge_trip(trip: RoundTrip) -> tuple[RuleFinding, ...]:
    """What the rules say of a migration's way there and back, beside what they say of its statements."""
    said = ((rule, says) for rule in TRIPS if (says := rule.look(trip)))
    return tuple(_of_trip(rule, says, trip.migration) for rule, says in said)


def judge_way_back(way: WayBack) -> tuple[RuleFinding, ...]:
    """What the rules say of the way back of all migrations."""
    return tuple(_of_trip(rule, says, None) for rule in CHAIN if (says := rule.look(way)))


def _of_trip(rule: TripRule | ChainRule, says: TripSays, migration: Migration | None) -> RuleFinding:
    file = migration and (migration.file(says.direction) or migration.path)
    where = Where(str(file)) if file else None
    finding = Finding(rule.name, says.message, severity_of(rule.verdict), where, says.why, says.fix)
    return RuleFinding(finding, rule.verdict, tuple(SafeStep(each) for each in says.mend))


def _report(seen: Seen, file: str, weight: str) -> StatementReport:
    statement = seen.statement
    found = (_finding(rule, says, Where(file, statement.line), weight=weight) for rule, says in _spoken(seen))
    return StatementReport(
        statement.number, statement.line, statement.text, seen.verdict, statement.effect, tuple(found)
    )


def _spoken(seen: Seen) -> Iterator[tuple[Rule, Says]]:
    """Each rule that has something to say of a statement; of why it fails or blocks only the first.

    None weighs more than the statement: what is dropped may be nothing that production has.
    """
    if seen.verdict is Verdict.FAILS:
        yield from islice(_said(FAILING, seen), 1)
        return
    if seen.verdict is Verdict.UNSAFE:
        yield from islice(_said(BLOCKING, seen), 1)
    yield from (each for each in _said(CHANGING, seen) if each[0].verdict.rank <= seen.verdict.rank)


def _said(rules: Sequence[Rule], seen: Seen) -> Iterator[tuple[Rule, Says]]:
    return ((rule, says) for rule in rules if (says := rule.look(seen)))


def severity_of(verdict: Verdict) -> Severity:
    """How much a finding of this weight matters."""
    if verdict.rank >= Verdict.BREAKING.rank:
        return Severity.ERROR
    return Severity.INFO if verdict in (Verdict.LONG, Verdict.BRIEF) else Severity.WARNING


def _finding(rule: Rule | StepRule | KeyRule, says: Says, where: Where, *, weight: str = "") -> RuleFinding:
    why = f"{says.why} {weight}".rstrip()
    finding = Finding(rule.name, says.message, severity_of(rule.verdict), where, why, says.fix)
    return RuleFinding(finding, rule.verdict)
