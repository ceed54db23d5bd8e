"""What a check found, in the forms that code hosts read. A module for each; a line here makes it known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from howdah.check.reports.marks import Mark

Writer = Callable[[Sequence[Mark]], str]
"""From the marks to the text of the report, whole, with its last line end."""

FORMS = ("github", "gitlab", "junit", "sarif")


def find_writer(form: str) -> Writer:
    """The writer of one of FORMS."""
    writer: Writer = import_module(f"howdah.check.reports.{form}").write
    return writer
