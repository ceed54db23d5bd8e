"""Put proved steps to what rules found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from howdah.check.advice.catalogue import bare_foreign_keys
from howdah.check.advice.prove import prove
from howdah.check.advice.recipes import RECIPES, Steps
from howdah.check.judgement import Judged, judge_keys
from howdah.check.report import RuleFinding, StatementReport
from howdah.check.rules.rule import ForeignKey
from howdah.connect.session import open_session
from howdah.errors import HowdahError
from howdah.migrate.formats.interface import Format
from howdah.migrate.migration import Direction
from howdah.rehearse.replay import Replay

# Findings of one rule for which another way is run: each takes copies of a database, and what is said is the same.
_MOST_PROOFS = 3


def advise(judged: Sequence[Judged], run: Replay, format: Format) -> tuple[Judged, ...]:
    """The same, with the steps of another way where one was proved, and with foreign keys that lack an index.

    Of many findings of one rule, the first few get steps.

    Args:
        judged: what rules said of steps up, in the order they ran.
        run: a database in the making that is empty as yet. It is taken from step to step.
        format: of the files, to say in its words how to write the steps.
    """
    result = list(judged)
    has_keys = any("references" in each.text.lower() for one in judged for each in one.statements)
    known: set[int] = set()
    tried = Counter[str]()
    try:
        if has_keys:
            _go_before(judged[0], run)
            known = {each.oid for each in _bare_foreign_keys(run)}
        for place, each in enumerate(judged):
            if _wants_advice(each):
                _go_before(each, run)
                result[place] = _advise_step(each, run, format, tried)
        if has_keys:
            run.up(to=judged[-1].step.step.after)
            keys = [each for each in _bare_foreign_keys(run) if each.oid not in known]
            return judge_keys(result, keys)
    except HowdahError:
        # What was found stands without advice; why a migration fails is told elsewhere.
        return tuple(result)
    return tuple(result)


def _go_before(judged: Judged, run: Replay) -> None:
    if judged.step.step.before is not None:
        run.up(to=judged.step.step.before)


def _bare_foreign_keys(run: Replay) -> tuple[ForeignKey, ...]:
    with open_session(run.database, application_name="howdah check") as connection:
        return bare_foreign_keys(connection)


def _wants_advice(judged: Judged) -> bool:
    found = (finding for statement in judged.statements for finding in statement.findings)
    return judged.step.step.direction is Direction.UP and any(
        each.finding.code in RECIPES and not each.is_old for each in found
    )


def _advise_step(judged: Judged, run: Replay, format: Format, tried: Counter[str]) -> Judged:
    statements = tuple(
        replace(
            statement,
            findings=tuple(
                _advise_one(each, statement, judged, run, format)
                if each.finding.code in RECIPES and _may_try(each.finding.code, tried)
                else each
                for each in statement.findings
            ),
        )
        for statement in judged.statements
    )
    return replace(judged, statements=statements)


def _may_try(rule: str, tried: Counter[str]) -> bool:
    tried[rule] += 1
    return tried[rule] <= _MOST_PROOFS


def _advise_one(
    found: RuleFinding, statement: StatementReport, judged: Judged, run: Replay, format: Format
) -> RuleFinding:
    recipe = RECIPES[found.finding.code]
    steps = prove(recipe, judged.step, statement.number, stand=run.database, throwaway=run.throwaway)
    if not steps:
        return found
    steps, words = in_words_of(format, judged, steps)
    return replace(
        found, finding=replace(found.finding, fix=f"{found.finding.fix} {words}".rstrip()), steps=steps
    )


def in_words_of(format: Format, judged: Judged, steps: Steps) -> tuple[Steps, str]:
    """The steps as their files have them, and a sentence on those files."""
    own = "Each step below is a migration of its own." if len(steps) > 1 else "It is a migration of its own."
    if all(each.transactional for each in steps):
        return steps, own if len(steps) > 1 else ""
    step = judged.step.step
    directive = format.files.read_body(step.file, _text_of(judged), step.direction).directive
    if not directive:
        return steps, f"{own} Alone in its file, such a statement runs outside a transaction."
    if not directive.startswith("--"):
        return (
            steps,
            f"{own} What runs outside a transaction wants {directive}, as its file's settings are called.",
        )
    marked = tuple(
        each if each.transactional else replace(each, sql=f"{directive}\n{each.sql}") for each in steps
    )
    return marked, f"{own} `{directive}` makes one run outside a transaction."


def _text_of(judged: Judged) -> str:
    return judged.step.step.file.read_bytes().decode()
