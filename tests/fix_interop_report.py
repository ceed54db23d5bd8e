"""`--interop-report FILE`: what the tests with other tools proved, for tools/interop.py.

A test with the fixture `proof` counts its checks. Another one that is marked
`@pytest.mark.proves(claim, peer=..., tool=..., format=...)` counts as one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

_told: dict[str, dict[str, Any]] = {}
_failed: set[str] = set()
_skipped: set[str] = set()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("howdah").addoption(
        "--interop-report", type=Path, help="Write what the tests with other tools proved to this file."
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proves(claim): what the published table of interop says of a test")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        marker = item.get_closest_marker("proves")
        if marker and marker.kwargs:
            item.user_properties.append(("interop", {**marker.kwargs, "proves": marker.args[0], "checks": 1}))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Runs where the session is, with xdist too: a report brings its properties along."""
    if report.failed:
        _failed.add(report.nodeid)
    if report.skipped:
        _skipped.add(report.nodeid)
    if report.when == "teardown":
        _told.update(
            (report.nodeid, told)
            for name, told in report.user_properties
            if name == "interop" and isinstance(told, dict)
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    file: Path | None = session.config.getoption("--interop-report")
    if file is None or hasattr(session.config, "workerinput"):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"test": nodeid, **_told[nodeid], "passed": nodeid not in _failed}
        for nodeid in sorted(_told.keys() - _skipped)
    ]
    file.write_text(json.dumps(rows, indent=1) + "\n")
