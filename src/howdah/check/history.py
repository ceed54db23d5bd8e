"""What the history of an environment's database says to the files: read only, judged as `migrate` judges it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from howdah.check.report import RuleFinding
from howdah.errors import MigrationError
from howdah.findings import Finding, Severity
from howdah.observe.verdict import Verdict

if TYPE_CHECKING:
    from howdah.migrate.formats.interface import OutOfOrder
    from howdah.migrate.migration import Source
    from howdah.migrate.migrator import Migrator
    from howdah.migrate.status import Status

# A database that has what the files no longer say differs from every new one.
_BREAKING = frozenset({"modified-migration", "missing-migration"})


@dataclass(frozen=True)
class Environment:
    """A database as it stands to the files.

    Attributes:
        pending: the versions that `up` would run, in order; () where it would refuse.
        status: what `migrate status` says; None: the history cannot be read as one of this format.
        findings: what is wrong, and what would be refused.
    """

    pending: tuple[str, ...] = ()
    status: Status | None = None
    findings: tuple[RuleFinding, ...] = ()


def compare_with_history(migrator: Migrator, source: Source) -> Environment:
    """Compare the files, as `examine_files` read them, with the history in the migrator's database.

    Nothing is written, no lock is taken.

    Raises:
        ConnectError: the database cannot be reached.
    """
    from howdah.migrate.formats import find_format
    from howdah.migrate.plan import out_of_order_policy, plan_up
    from howdah.migrate.squashed import carry_on
    from howdah.migrate.standing import stand
    from howdah.migrate.status import build_status

    tool = find_format(migrator.format, variables=migrator.variables)
    with migrator.access.session() as connection, connection.transaction():
        # Of this transaction only: behind a pooler the session is somebody else's next.
        connection.execute("SET TRANSACTION READ ONLY")
        try:
            history = migrator.access.read(connection)[1]
        except MigrationError as error:
            return Environment(findings=(_stopping(error),))
    source = carry_on(tool, source, history)
    standing = stand(tool, source, history)
    status = build_status(tool, source, history, out_of_order=migrator.out_of_order)
    policy = out_of_order_policy(tool, standing, migrator.out_of_order)
    found = [_weighed(each, policy) for each in status.findings if each not in source.notes]
    try:
        plan = plan_up(tool, source, history, out_of_order=migrator.out_of_order)
    except MigrationError as error:
        if error.code not in {each.finding.code for each in found if each.verdict is Verdict.FAILS}:
            found.append(_stopping(error))
        return Environment(status=status, findings=tuple(found))
    pending = tuple(step.migration.version for step in plan.steps)
    return Environment(pending, status, tuple(found))


def _stopping(error: MigrationError) -> RuleFinding:
    return RuleFinding(Finding.of(error), Verdict.FAILS)


def _weighed(finding: Finding, policy: OutOfOrder) -> RuleFinding:
    """What a finding of `status` means for a deployment."""
    is_lost = finding.code == "out-of-order-migration" and policy.value != "apply"
    if finding.severity is Severity.ERROR or is_lost:
        return RuleFinding(replace(finding, severity=Severity.ERROR), Verdict.FAILS)
    if finding.code in _BREAKING:
        return RuleFinding(replace(finding, severity=Severity.ERROR), Verdict.BREAKING)
    return RuleFinding(finding, Verdict.UNKNOWN if finding.code == "database-ahead" else Verdict.SAFE)
