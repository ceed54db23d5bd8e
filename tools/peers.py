"""Install the programs that the tests and benchmarks run beside howdah: other migration tools, other servers.

    python tools/peers.py install [NAME ...]   what is missing of the named ones (default: all)
    python tools/peers.py path [NAME]          where one is, or where all of them are
    python tools/peers.py list                 every name, its version, and whether it is there

Needs nothing but Python. What a program comes through (go, npm, cargo, apt-get) must be on PATH; a program
whose installer is absent is reported and the others are installed all the same.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from peer_installers import (
    PROGRAMS,
    MissingInstallerError,
    Tool,
    apt_install,
    cargo_build,
    cargo_install,
    go_build,
    go_install,
    install_dbmate,
    install_npm_project,
    install_postgresql,
    pip_install,
    tools_directory,
)

_GOLANG_MIGRATE = "github.com/golang-migrate/migrate/v4/cmd/migrate"
_GOOSE = "github.com/pressly/goose/v3/cmd/goose"
_GOOSE_TAGS = (
    "no_clickhouse no_duckdb no_libsql no_mssql no_mysql no_spanner no_sqlite3 no_starrocks no_vertica no_ydb"
)


def _postgresql(major: int, version: str) -> Tool:
    program = f"postgresql/{major}/bin/postgres"
    return Tool(f"postgresql-{major}", version, program, ("--version",), install_postgresql)


TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        _postgresql(14, "14.23.0-beta.17"),
        _postgresql(15, "15.18.0-beta.17"),
        _postgresql(16, "16.14.0-beta.17"),
        _postgresql(17, "17.10.0-beta.17"),
        _postgresql(18, "18.4.0-beta.17"),
        Tool(
            name="migrate",
            version="v4.20.1",
            program="bin/migrate",
            version_arguments=("-version",),
            install=go_install(_GOLANG_MIGRATE, "postgres pgx5"),
        ),
        # Before 4.15 its lock has another key.
        Tool(
            name="migrate-4.14",
            version="v4.14.1",
            program="bin/migrate-4.14",
            version_arguments=("-version",),
            install=go_install(_GOLANG_MIGRATE, "postgres"),
        ),
        Tool(
            name="goose",
            version="v3.29.0",
            program="bin/goose",
            version_arguments=("-version",),
            install=go_install(_GOOSE, _GOOSE_TAGS),
        ),
        # Before 3.22 its table has other columns.
        Tool(
            name="goose-3.21",
            version="v3.21.1",
            program="bin/goose-3.21",
            version_arguments=("-version",),
            install=go_install(_GOOSE, _GOOSE_TAGS),
        ),
        Tool(
            name="goose-provider",
            version="v3.29.0",
            program="bin/goose-provider",
            version_arguments=("-version",),
            install=go_build,
            source=PROGRAMS / "goose-provider",
        ),
        Tool(
            name="goose-parse",
            version="v3.29.0",
            program="bin/goose-parse",
            version_arguments=("-version",),
            install=go_build,
            source=PROGRAMS / "goose-parse",
        ),
        Tool(
            name="sqlx",
            version="0.8.6",
            program="bin/sqlx",
            version_arguments=("--version",),
            install=cargo_install("sqlx-cli", "--no-default-features", "--features", "postgres"),
        ),
        Tool(
            name="sqlx-embed",
            version="0.8.6",
            program="bin/sqlx-embed",
            version_arguments=("--version",),
            install=cargo_build,
            source=PROGRAMS / "sqlx-embed",
        ),
        Tool("dbmate", "2.36.0", "bin/dbmate", ("--version",), install_dbmate),
        Tool(
            name="alembic",
            version="1.20.1",
            program="alembic/bin/alembic",
            version_arguments=("--version",),
            install=pip_install("psycopg[binary]==3.3.9"),
        ),
        Tool(
            name="typeorm",
            version="1.1.1",
            program="typeorm/node_modules/.bin/typeorm",
            version_arguments=("--version",),
            install=install_npm_project,
            source=PROGRAMS / "typeorm",
        ),
        Tool(
            name="prisma",
            version="6.19.3",
            program="prisma/run.mjs",
            version_arguments=("migrate", "--help"),
            install=install_npm_project,
            source=PROGRAMS / "prisma",
        ),
        Tool(
            name="squawk",
            version="2.70.0",
            program="squawk/bin/squawk",
            version_arguments=("--version",),
            install=pip_install(project="squawk-cli"),
        ),
        Tool("pgbouncer", "distribution", "/usr/sbin/pgbouncer", ("--version",), apt_install("pgbouncer")),
        Tool(
            name="postgresql",
            version="distribution",
            program="/usr/bin/psql",
            version_arguments=("--version",),
            install=apt_install("postgresql", "postgresql-contrib"),
        ),
    )
}


def link_from_home() -> None:
    """Make root's ordinary cache path lead to where the tools are."""
    link = Path.home() / ".cache" / "howdah-tools"
    if not os.path.lexists(link) and tools_directory() != link:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(tools_directory())


def install(names: Sequence[str]) -> int:
    """Install the named tools, or all; returns the exit code."""
    failed = 0
    if "HOWDAH_TOOLS" not in os.environ:
        link_from_home()
    for tool in [TOOLS[name] for name in names] or TOOLS.values():
        begin = time.monotonic()
        try:
            done = tool.ensure()
            print(f"{tool.name} {tool.version}: {done} ({time.monotonic() - begin:.0f} s)", flush=True)
        except (MissingInstallerError, RuntimeError, OSError, subprocess.CalledProcessError) as error:
            print(f"{tool.name} {tool.version}: not installed: {error}", file=sys.stderr, flush=True)
            failed += 1
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Programs that the tests and benchmarks run beside howdah.")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("install", help="install what is missing").add_argument(
        "names", nargs="*", metavar="NAME"
    )
    actions.add_parser("path", help="print where it is").add_argument("name", nargs="?", choices=TOOLS)
    actions.add_parser("list", help="print every name, its version and state")
    given = parser.parse_args()
    if given.action == "install":
        unknown = set(given.names) - set(TOOLS)
        if unknown:
            parser.error(f"unknown: {', '.join(sorted(unknown))}; the names are: {', '.join(TOOLS)}")
        return install(given.names)
    if given.action == "path":
        print(TOOLS[given.name].path() if given.name else tools_directory())
        return 0
    for tool in TOOLS.values():
        print(
            f"{tool.name:<14} {tool.version:<16} {'there' if tool.is_installed() else '-':<6} {tool.path()}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
