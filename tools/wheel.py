"""Build the wheel, compare it with the source tree, and run it from an environment of its own.

python tools/wheel.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "howdah"


def build(directory: Path) -> Path:
    """The freshly built wheel."""
    pip = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--wheel-dir", str(directory)]
    subprocess.run([*pip, str(ROOT)], check=True)
    (wheel,) = directory.glob("howdah-*.whl")
    return wheel


def missing_files(wheel: Path) -> list[str]:
    """Files of the package that the wheel lacks."""
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    files = (file for file in PACKAGE.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return sorted({file.relative_to(PACKAGE.parent).as_posix() for file in files} - packed)


def run_installed(wheel: Path, directory: Path) -> None:
    """Install the wheel alone and ask it for help, its version, and its public names."""
    venv.create(directory, with_pip=True)
    programs = directory / "bin"
    subprocess.run([programs / "pip", "--quiet", "install", str(wheel)], check=True, cwd=directory)
    subprocess.run([programs / "howdah", "--help"], check=True, cwd=directory, stdout=subprocess.DEVNULL)
    subprocess.run([programs / "howdah", "--version"], check=True, cwd=directory)
    every_name = "import howdah; [getattr(howdah, name) for name in howdah.__all__]"
    subprocess.run([programs / "python", "-W", "error", "-c", every_name], check=True, cwd=directory)


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build(Path(scratch))
        missing = missing_files(wheel)
        if missing:
            print("the wheel lacks:", *missing, sep="\n  ", file=sys.stderr)
            return 1
        run_installed(wheel, Path(scratch) / "venv")
        print(f"{wheel.name}: {wheel.stat().st_size / 1024:.0f} kB, complete, and it runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
