"""What a git repository holds, asked of the git program: commits, trees and files of one folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from howdah.errors import CommandError

# Set while a hook of git runs: they name the hook's repository and index, which need not be this folder's.
_LOCAL_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
_OPTIONS = ("--no-pager", "-c", "core.quotepath=off", "-c", "core.fsmonitor=false", "-c", "color.ui=false")
_SETTINGS = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_REGULAR = (b"100644", b"100755", b"100664")
_LIMIT_SECONDS = 60

Tree = Mapping[str, str]
"""Path below a folder, with slashes -> id of the file's content."""


@dataclass(frozen=True)
class Repository:
    """The repository around a folder, seen from that folder: paths are relative to it."""

    folder: Path

    def ask(self, *arguments: str) -> str:
        """What git answers, without the newline at its end. Raises CommandError."""
        return os.fsdecode(self._run(arguments)).removesuffix("\n")

    def describe(self) -> tuple[bool, bool, bool]:
        """Whether the folder is in a work tree, of a repository without its whole history, inside another one."""
        questions = ("--is-inside-work-tree", "--is-shallow-repository", "--show-superproject-working-tree")
        inside, shallow, *outer = self.ask("rev-parse", *questions).split("\n")
        return inside == "true", shallow == "true", bool(outer)

    def resolve(self, names: Sequence[str]) -> dict[str, str]:
        """The ids of the commits that these names mean, without the names that mean none."""
        asked = [name for name in names if is_plain(name)]
        wanted = "".join(f"{name}^{{commit}}\n" for name in asked)
        answers = self._run(("cat-file", "--batch-check"), os.fsencode(wanted)).splitlines()
        found = {}
        for name, answer in zip(asked, answers, strict=True):
            words = answer.split(b" ")
            if len(words) == 3 and words[1] == b"commit":
                found[name] = words[0].decode()
        return found

    def merge_base(self, commit: str) -> str | None:
        """Where HEAD and a commit parted; None: nothing that is here says where."""
        try:
            return self.ask("merge-base", "HEAD", commit) or None
        except CommandError as error:
            if error.status == 1:
                return None
            raise

    def list_files(self, commit: str, places: Sequence[str] = (), *, is_deep: bool = True) -> Tree:
        """The files in the folder, or in some places in it (with a slash at the end), and those below.

        Links and other repositories are left out. `commit` is an id.
        """
        deep = ("-r",) if is_deep else ()
        listing = self._run(("ls-tree", *deep, "-z", commit, *places))
        tree = {}
        for entry in listing.split(b"\0"):
            head, tab, path = entry.partition(b"\t")
            if tab and head[:6] in _REGULAR:
                tree[os.fsdecode(path)] = head[12:].decode()
        return tree

    def read_files(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Id -> content, in one call."""
        answer = self._run(("cat-file", "--batch"), "".join(f"{each}\n" for each in ids).encode())
        found, at = {}, 0
        for each in ids:
            end = answer.index(b"\n", at)
            words = answer[at:end].split(b" ")
            if len(words) != 3:
                raise CommandError("git cat-file", 1, os.fsdecode(answer[at:end]))
            size = int(words[2])
            found[each] = answer[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
        return found

    def stored_ids(self, paths: Sequence[str]) -> dict[str, str]:
        """Path -> id of what git would store of the file as it is on disk: with its line ends, for instance.

        A name that cannot be told to git line by line is left out.
        """
        prefix = self.ask("rev-parse", "--show-prefix")  # what comes by stdin counts from the top
        asked = {each: f"{prefix}{each}" for each in paths}
        asked = {each: path for each, path in asked.items() if "\n" not in path and path[:1] != '"'}
        if not asked:
            return {}
        text = "".join(f"{path}\n" for path in asked.values())
        ids = self._run(("hash-object", "--stdin-paths"), os.fsencode(text)).decode().split()
        return dict(zip(asked, ids, strict=True))

    def _run(self, arguments: Sequence[str], text: bytes = b"") -> bytes:
        environment = {name: value for name, value in os.environ.items() if name not in _LOCAL_VARIABLES}
        try:
            done = subprocess.run(
                ["git", *_OPTIONS, *arguments],
                cwd=self.folder,
                env=environment | _SETTINGS,
                input=text,
                capture_output=True,
                timeout=_LIMIT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            said = f"no answer within {_LIMIT_SECONDS} s"
            raise CommandError(f"git {arguments[0]}", -1, said) from error
        if done.returncode != 0:
            raise CommandError(f"git {arguments[0]}", done.returncode, os.fsdecode(done.stderr))
        return done.stdout


def is_plain(name: str) -> bool:
    """Whether a name may be handed to git: it is no option, and one line."""
    return bool(name) and not name.startswith("-") and not any(each in name for each in "\n\r\0 ")


def content_id(content: bytes, like: str) -> str:
    """The id that git gives this content, by the kind of hash that an id of the repository has."""
    kind = "sha256" if len(like) == 64 else "sha1"
    head = b"blob %d\0" % len(content)
    return hashlib.new(kind, head + content, usedforsecurity=False).hexdigest()
