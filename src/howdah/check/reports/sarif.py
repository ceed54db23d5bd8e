"""SARIF 2.1.0, which GitHub's code scanning and editors read.

The form: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from howdah.check.reports.marks import Mark

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def write(marks: Sequence[Mark]) -> str:
    """One run with a result for each finding; what a file allows itself is a suppressed one."""
    found = [each for each in marks if each.rule]
    rules = sorted({each.rule for each in found})
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "howdah",
                        "version": version("howdah"),
                        "rules": [{"id": rule, "name": _name(rule)} for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(each, rules.index(each.rule)) for each in found],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _result(mark: Mark, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": mark.rule,
        "ruleIndex": index,
        "level": mark.level.value,
        "message": {"text": f"{mark.message}\n{mark.details}".strip()},
        "partialFingerprints": {"howdah/v1": mark.fingerprint},
        "properties": {"verdict": mark.verdict.value, "database": mark.database},
    }
    if mark.file:
        place = {"artifactLocation": {"uri": quote(mark.file)}, "region": {"startLine": mark.line}}
        result["locations"] = [{"physicalLocation": place}]
    if mark.allowed:
        result["suppressions"] = [{"kind": "inSource", "justification": mark.allowed}]
    return result


def _name(rule: str) -> str:
    """As SARIF wants names: `DropsTable`."""
    return "".join(word.capitalize() for word in rule.split("-"))
