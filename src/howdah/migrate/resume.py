"""Whether a step that stopped half-way outside a transaction can go on by itself where it stopped.

A person need not look where nothing is unclear: the mark is ours, the file is what it was, and every statement that is
left may be run again, so that of the one statement that may or may not have taken effect the server can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from howdah.errors import HowdahError
from howdah.migrate.formats.interface import Format
from howdah.migrate.history import History
from howdah.migrate.migration import Direction, Source, Step
from howdah.migrate.repeat import Repeat, read_repeatable
from howdah.migrate.script import Execution, Script, load_script
from howdah.migrate.standing import unfinished_record
from howdah.pg.features import Feature
from howdah.pg.statements import Statement


def find_resumable(format: Format, source: Source, history: History) -> tuple[Step, Script] | None:
    """The step that made the history dirty, and its script with where to go on; None: a person must look."""
    record = unfinished_record(format, history)
    migration = source.find(record.version) if record else None
    if record is None or record.action != "apply" or migration is None or migration.up is None:
        return None
    after = record.previous if migration.repeats else migration.version
    step = Step(migration, Direction.UP, record.previous, after)
    try:
        script = load_script(format, step)
    except HowdahError:
        return None
    is_same = script.content.checksum == record.checksum and len(script.statements) == record.statements
    if not is_same or script.execution is not Execution.OUTSIDE:
        return None
    if not can_resume(script.statements, record.statements_done):
        return None
    return step, replace(script, resume_at=record.statements_done)


def can_resume(statements: Sequence[Statement], done: int) -> bool:
    """Whether what is left of a script may be run by another session than the one that began it."""
    left = [read_repeatable(each) for each in statements[done:]]
    return all(each is not None for each in left) and all(
        Feature.SESSION not in each.features or _is_setting(each) for each in statements[:done]
    )


def settings_before(script: Script) -> list[Statement]:
    """The settings of the session that began it, which the one that goes on needs, too."""
    return [each for each in script.statements[: script.resume_at or 0] if _is_setting(each)]


def _is_setting(statement: Statement) -> bool:
    found = read_repeatable(statement)
    return found is not None and found.repeat is Repeat.SESSION
