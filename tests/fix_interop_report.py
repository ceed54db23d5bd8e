"""`--interop-report FILE`: what the tests with other tools proved, for tools/interop.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_told: dict[str, dict[str, Any]] = {}
_failed: set[str] = set()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("howdah").addoption(
        "--interop-report", type=Path, help="Write what the tests with other tools proved to this file."
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proves(claim): what the published table of interop says of a test")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Runs where the session is, with xdist too: a report brings its properties along."""
    if report.failed:
        _failed.add(report.nodeid)
    for name, told in report.user_properties:
        if name == "interop" and isinstance(told, dict):
            _told[report.nodeid] = told


def pytest_sessionfinish(session: pytest.Session) -> None:
    file: Path | None = session.config.getoption("--interop-report")
    if file is None or hasattr(session.config, "workerinput"):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"test": nodeid, **_told[nodeid], "passed": nodeid not in _failed} for nodeid in sorted(_told)]
    file.write_text(json.dumps(rows, indent=1) + "\n")
