"""The scripts of a plan: all judged before anything runs, few kept in memory."""

from __future__ import annotations

from howdah.errors import SourceError, Where
from howdah.migrate.migration import Step
from howdah.migrate.plan import Plan
from howdah.migrate.script import Execution, Script, load_script

# What is kept from judging to running; the rest is read again, so that 10,000 files need no more memory than 1,000.
_KEPT_SCRIPTS = 2000
_KEPT_BYTES = 8 << 20


class Scripts:
    """The scripts of a plan's steps. A file that changes between judging and running is refused.

    `outside` are the steps that run outside a transaction.
    """

    def __init__(self, plan: Plan) -> None:
        """Read and judge every file of the plan that is SQL.

        Raises:
            SourceError: one of them cannot run; nothing has been run.
        """
        self._format = plan.format
        self._kept: dict[Step, Script] = {}
        self._checksums: dict[Step, bytes] = {}
        self.outside: list[Step] = []
        size = 0
        for step in plan.steps:
            if step.migration.foreign:
                continue
            script = load_script(plan.format, step)
            self._checksums[step] = script.content.checksum
            if script.execution is Execution.OUTSIDE:
                self.outside.append(step)
            size += script.content.size_bytes
            if len(self._kept) < _KEPT_SCRIPTS and size <= _KEPT_BYTES:
                self._kept[step] = script

    @classmethod
    def resuming(cls, plan: Plan, script: Script) -> Scripts:
        """Those of a plan of the one step that goes on with this script."""
        scripts = cls(plan)
        scripts._kept = dict.fromkeys(plan.steps, script)
        return scripts

    def take(self, step: Step) -> Script:
        """The script of this step, which is not asked for again.

        Raises:
            SourceError: the file has changed since it was judged.
        """
        script = self._kept.pop(step, None) or load_script(self._format, step)
        if script.content.checksum != self._checksums[step]:
            raise SourceError(
                "the file changed while the run was going on",
                code="file-changed",
                where=Where(str(script.path)),
                fix="Start again.",
            )
        return script
