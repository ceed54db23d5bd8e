"""Execute a page of documentation: its ```console blocks in order, in one shell, and compare what it shows.

    $ command                     typed as it is; it must succeed
    > continued                   a further line of the same command
    what it prints                compared where anything is shown; `...` is any text of a line, or any lines
    $ command  # exits with 3

A comment above a block says what else it is: `<!-- not run: REASON -->`, or `<!-- from: FILE -->` for an
excerpt, which must be in that file of the example. A ```bash block without one is an error: a page has no
command that nobody tried.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_MARK = re.compile(r"<!-- (?P<kind>not run|from): (?P<about>.+) -->")
_STATUS = re.compile(r"\s+# exits with (\d+)$")
_SHELLS = {"bash", "sh", "shell", "zsh"}
_SENTINEL = "end of the command, status"


@dataclass
class Command:
    """One command of a page: its line, what it should print (nothing shown: anything), its exit status."""

    line: int
    text: str
    shown: list[str] = field(default_factory=list)
    status: int = 0

    def prints(self, printed: str) -> bool:
        """Whether this is what the page shows."""
        if not self.shown:
            return True
        pattern = "".join(
            r"(?:.*\n)*?" if line == "..." else _in_line(line) + r"[ \t]*\n" for line in self.shown
        )
        return re.fullmatch(pattern, printed.rstrip() + "\n") is not None


@dataclass(frozen=True)
class Block:
    """A fenced block of a page with its mark."""

    line: int
    language: str
    lines: tuple[str, ...]
    kind: str | None
    about: str


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    lines = page.splitlines()
    opened: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if opened is None:
            opened = number
            continue
        above = _MARK.fullmatch(lines[opened - 1].strip()) if opened else None
        yield Block(
            line=opened + 1,
            language=lines[opened].removeprefix("```").strip(),
            lines=tuple(lines[opened + 1 : number]),
            kind=above["kind"] if above else None,
            about=above["about"] if above else "",
        )
        opened = None
    assert opened is None, f"the block of line {opened and opened + 1} has no end"


def commands(block: Block) -> list[Command]:
    """The commands of a ```console block."""
    found: list[Command] = []
    for number, line in enumerate(block.lines, block.line + 1):
        if line.startswith("$ "):
            found.append(Command(number, line[2:]))
        elif line.startswith("> ") and not found[-1].shown:
            found[-1].text += "\n" + line[2:]
        else:
            found[-1].shown.append(line.rstrip())
    for command in found:
        while command.shown and not command.shown[-1]:
            command.shown.pop()
        if status := _STATUS.search(command.text):
            command.status = int(status[1])
    return found


def run_page(
    page: Path, *, folder: Path, environment: Mapping[str, str], replace: Mapping[str, str] | None = None
) -> int:
    """Run a page's commands in a folder; how many they were.

    `replace` changes the page before: what differs from machine to machine, such as a port.
    """
    text = page.read_text(encoding="utf-8")
    for old, new in (replace or {}).items():
        assert old in text, f"{page.name} does not say {old}"
        text = text.replace(old, new)
    count = 0
    with _Shell(folder, environment) as shell:
        for block in blocks(text):
            place = f"{page.parent.name}/{page.name}:{block.line}"
            if block.kind == "from":
                excerpt = "\n".join(block.lines)
                assert excerpt in (folder / block.about).read_text(encoding="utf-8"), (
                    f"{place}: {block.about} does not say this"
                )
            if block.kind is not None:
                continue
            assert block.language not in _SHELLS, f"{place}: neither run nor marked as not run"
            if block.language == "console":
                for command in commands(block):
                    _try(command, shell, page)
                    count += 1
    return count


def _try(command: Command, shell: _Shell, page: Path) -> None:
    printed, status = shell.run(command.text)
    story = (
        f"{page.parent.name}/{page.name}:{command.line}\n$ {command.text}\n"
        f"--- shown, exits with {command.status}\n" + "\n".join(command.shown) + "\n"
        f"--- printed, exits with {status}\n{printed}"
    )
    assert status == command.status, story
    assert command.prints(printed), story


def _in_line(line: str) -> str:
    return ".*?".join(re.escape(part) for part in line.split("..."))


class _Shell:
    """One bash for the whole page: `cd` and `export` last, as in the reader's terminal."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bash.communicate()

    def run(self, command: str) -> tuple[str, int]:
        """What a command prints, to both streams, and its exit status."""
        assert self._bash.stdin
        assert self._bash.stdout
        # from a terminal, programs could read the lines to come: give them an empty input
        self._bash.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n{_SENTINEL} %s\\n' $?\n")
        printed = ""
        for line in self._bash.stdout:
            if line.startswith(_SENTINEL):
                return printed.rstrip("\n"), int(line.removeprefix(_SENTINEL))
            printed += line
        raise AssertionError(f"the shell ended in: {command}\n{printed}")
