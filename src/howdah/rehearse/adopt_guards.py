"""What must hold before a history is handed to another tool, and what to know afterwards."""

from __future__ import annotations

import shlex
from collections.abc import Collection

from howdah.config.database import DatabaseConfig
from howdah.errors import HistoryMismatch, RefusedError
from howdah.findings import Finding, Severity
from howdah.migrate.formats.interface import Format, OutOfOrder
from howdah.migrate.history import History
from howdah.migrate.migration import Migration, Source
from howdah.migrate.plan import plan_up, shown
from howdah.migrate.standing import stand
from howdah.rehearse.proof import Doubt, find_doubts
from howdah.rehearse.verify import Verified
from howdah.schema.compare import describe


def refuse_unfit(start: Format, source: Source, history: History) -> tuple[Migration, ...]:
    """The applied migrations, where the other tool's table can say the same; what cannot be said is refused."""
    # Dirty, or without a file that the tool itself needs.
    plan_up(start, source, history, out_of_order=OutOfOrder.SKIP)
    standing = stand(start, source, history)
    if late := standing.out_of_order:
        names = ", ".join(each.version for each in late)
        raise HistoryMismatch(
            f"not applied, though newer ones are: {names}",
            code="out-of-order-migration",
            where=late[0].where,
            why="The other tool would take it for one that it forgot, and the replay cannot leave it out.",
            fix="Give the file a version above the newest one, or delete it; or apply it, where the tool can.",
        )
    if without := (*standing.missing, *standing.ahead):
        raise HistoryMismatch(
            f"applied, and without a file here: {shown(without)}",
            code="missing-migration",
            why="What is not here cannot be converted.",
            fix="Adopt from the branch or release that has the files.",
        )
    found = (source.find(version) for version in standing.applied)
    return tuple(each for each in found if each)


def refuse_unproved(
    target: str,
    tool: str,
    verified: Verified,
    *,
    proved: Collection[str],
    vouched: Collection[str],
    allowed_drift: Collection[str],
) -> None:
    """Raise RefusedError where the live schema differs in what is not allowed, or a version cannot be proved."""
    doubts = find_doubts(verified.steps, verified.drift, proved=proved)
    drift = [
        each for each in verified.drift if not {each.name, f"{each.kind} {each.name}"} & {*allowed_drift}
    ]
    if drift:
        guilty = "".join(f"\nnot run, it seems: {each}" for each in doubts if each.lacking)
        raise RefusedError(
            f"{target} is not what its migrations build",
            code="schema-drift",
            why=f"Replayed on an empty database (- only there, + only in the database):\n{describe(drift)}{guilty}",
            fix="Put the database right, or name what may differ: "
            + " ".join(f"--allow-drift {shlex.quote(each.name)}" for each in drift),
        )
    left = [each for each in doubts if each.migration.version not in vouched]
    if left:
        raise _unproved(tool, left)


def _unproved(tool: str, doubts: list[Doubt]) -> RefusedError:
    named = " ".join(f"--vouch {each.migration.version}" for each in doubts)
    return RefusedError(
        f"nothing proves that these were applied: {', '.join(each.migration.version for each in doubts)}",
        code="unproved-migration",
        why=f"{tool} keeps one number, and passes by a file that is added below it.\n"
        + "\n".join(map(str, doubts)),
        fix=f"Look at what they change. Where it is there, say so: {named}",
    )


def warnings_of(start: Format, to: Format, database: DatabaseConfig, history: History) -> tuple[Finding, ...]:
    found = []
    parameters = sorted(name for name in database.tool_options if name.startswith("x-"))
    if parameters:
        found.append(
            Finding(
                "tool-parameters",
                f"{to.name} does not know {', '.join(parameters)}",
                Severity.WARNING,
                why=f"These parameters of the address are {start.name}'s.",
                fix=f"Take them out of the address that {to.name} gets.",
            )
        )
    if history.exists:
        found.append(
            Finding(
                "old-tool-begins-anew",
                f"{start.name} will find no history, and would begin at the first migration",
                Severity.WARNING,
                why="Its table has another name from then on.",
                fix=f"Stop whatever starts {start.name}, an old release of the application too.",
            )
        )
    if start.table.lock_keys(history.table) and to.table.fence:
        found.append(
            Finding(
                "no-lock",
                f"the command line of {to.name} takes no lock",
                Severity.WARNING,
                why=f"Two of them at the same time run the same migrations; {start.name} let one wait.",
                fix="Let one job migrate, or migrate with howdah.",
            )
        )
    return tuple(found)
