"""JUnit's XML, which every continuous integration shows: a suite for each database, a case for each migration.

The form: the one that Jenkins and GitLab read, without attributes of single tools.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from howdah.check.reports.marks import Level, Mark

# What XML 1.0 has no way to write.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_MIGRATION = "files and history"


def write(marks: Sequence[Mark]) -> str:
    """A failure for each migration with a finding that fails the check; its other findings are output."""
    root = ET.Element("testsuites", name="howdah check")
    for database, found in groupby(marks, lambda each: each.database):
        cases = _by_migration(list(found))
        failures = sum(any(each.level is Level.ERROR for each in case) for case in cases)
        suite = ET.SubElement(
            root, "testsuite", name=_text(database), tests=str(len(cases)), failures=str(failures)
        )
        for case in cases:
            _write_case(suite, case)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _by_migration(marks: Sequence[Mark]) -> list[list[Mark]]:
    cases: dict[str, list[Mark]] = {}
    for each in marks:
        cases.setdefault(each.migration, []).append(each)
    return list(cases.values())


def _write_case(suite: ET.Element, case: Sequence[Mark]) -> None:
    first = case[0]
    element = ET.SubElement(
        suite, "testcase", name=_text(first.migration or _NO_MIGRATION), classname=_text(first.database)
    )
    errors = [each for each in case if each.level is Level.ERROR]
    if errors:
        failure = ET.SubElement(element, "failure", message=_text(errors[0].message), type=errors[0].rule)
        failure.text = _text("\n\n".join(map(_shown, errors)))
    others = [each for each in case if each.rule and each.level is not Level.ERROR]
    if others:
        ET.SubElement(element, "system-out").text = _text("\n\n".join(map(_shown, others)))


def _shown(mark: Mark) -> str:
    place = f"{mark.file}:{mark.line}: " if mark.file else ""
    allowed = f"\nallowed: {mark.allowed}" if mark.allowed else ""
    return f"{place}{mark.level.value}: {mark.message} [{mark.rule}]\n{mark.details}".rstrip("\n") + allowed


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
