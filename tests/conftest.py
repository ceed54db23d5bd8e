"""Fixture plugins, one concern each. They are listed, not searched for."""

from __future__ import annotations

from hypothesis import settings

# How long one example takes says more about the machine than about the code.
settings.register_profile("howdah", deadline=None)
settings.load_profile("howdah")

pytest_plugins = [
    "fix_server",
    "fix_local",
    "fix_db",
    "fix_cli",
    "fix_standins",
    "fix_pgbouncer",
    "fix_proxy",
    "fix_gate",
    "fix_tls",
    "fix_migrations",
    "fix_git",
    "fix_fleet",
    "fix_golang_migrate",
    "fix_peers",
    "fix_interop_report",
]
