"""The scripts of a plan: all judged before anything runs, few kept in memory."""

from __future__ import annotations

from pathlib import Path

from howdah.errors import SourceError, Where
from howdah.migrate.plan import Plan
from howdah.migrate.script import Script, load_script

# What is kept from judging to running; the rest is read again, so that 10,000 files need no more memory than 1,000.
_KEPT_SCRIPTS = 2000
_KEPT_BYTES = 8 << 20


class Scripts:
    """Scripts by path. A file that changes between judging and running is refused."""

    def __init__(self, plan: Plan) -> None:
        """Read and judge every file of the plan.

        Raises:
            SourceError: one of them cannot run; nothing has been run.
        """
        self._kept: dict[Path, Script] = {}
        self._checksums: dict[Path, bytes] = {}
        size = 0
        for step in plan.steps:
            script = load_script(step.file)
            self._checksums[step.file] = script.content.checksum
            size += script.content.size_bytes
            if len(self._kept) < _KEPT_SCRIPTS and size <= _KEPT_BYTES:
                self._kept[step.file] = script

    def take(self, path: Path) -> Script:
        """The script of this path, which is not asked for again.

        Raises:
            SourceError: the file has changed since it was judged.
        """
        script = self._kept.pop(path, None) or load_script(path)
        if script.content.checksum != self._checksums[path]:
            raise SourceError(
                "the file changed while the run was going on",
                code="file-changed",
                where=Where(str(path)),
                fix="Start again.",
            )
        return script
