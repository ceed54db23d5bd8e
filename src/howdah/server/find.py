"""From what a project needs to the programs its local server runs on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from howdah.server.choice import Candidate, Choice, Kind, Need, choose
from howdah.server.installations import (
    explicit_programs,
    system_programs,
    wheel_programs,
)
from howdah.server.standins import STANDINS


def find_programs(
    need: Need,
    *,
    bindir: Path | None = None,
    configured: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Choice:
    """The installation to use: the one named, else the best of the system's and the wheel's.

    Raises:
        ConfigError: a directory was named that holds no server.
        UnsupportedError: none will do; says what was looked at.
    """
    if explicit := explicit_programs(bindir, environ, configured=configured):
        candidates = [Candidate(explicit, Kind.EXPLICIT, explicit.extensions)]
    else:
        candidates = [Candidate(programs, Kind.SYSTEM, programs.extensions) for programs in system_programs()]
        if wheel := wheel_programs(environ):
            candidates.append(Candidate(wheel, Kind.WHEEL, wheel.extensions))
    return choose(candidates, need, standins=frozenset(STANDINS))
