"""Commands that GitHub Actions reads from a job's output: annotations at the lines of a pull request.

The form: GitHub's documentation, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from collections.abc import Sequence

from howdah.check.reports.marks import Level, Mark

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def write(marks: Sequence[Mark]) -> str:
    """A command for each finding; what a file allows itself is a notice."""
    return "".join(_command(each) for each in marks if each.rule)


def _command(mark: Mark) -> str:
    properties = {"title": f"{mark.rule} ({mark.verdict.value})"}
    if mark.file:
        properties = {"file": mark.file, "line": str(mark.line), **properties}
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    allowed = f"\nallowed: {mark.allowed}" if mark.allowed else ""
    text = f"{mark.message}\n{mark.details}".rstrip("\n") + allowed
    return f"::{_COMMANDS[mark.level]} {shown}::{_data(text)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
