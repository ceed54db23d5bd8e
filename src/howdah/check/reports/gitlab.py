"""GitLab's Code Quality report: shown in the merge request.

The form: GitLab's documentation, "Code Quality", "Code Quality report format".
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from howdah.check.reports.marks import Level, Mark

_SEVERITIES = {Level.ERROR: "critical", Level.WARNING: "minor", Level.NOTE: "info"}
# GitLab leaves out an entry without a path.
_NO_FILE = "."


def write(marks: Sequence[Mark]) -> str:
    """A list with an entry for each finding; what a file allows itself is left out, since GitLab cannot show that."""
    entries = [
        {
            "description": f"{each.message}\n{each.details}".strip(),
            "check_name": each.rule,
            "fingerprint": each.fingerprint,
            "severity": _SEVERITIES[each.level],
            "location": {"path": each.file or _NO_FILE, "lines": {"begin": each.line}},
        }
        for each in marks
        if each.rule and not each.allowed
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
