"""What is released: the migration files of the branch that a change is to be merged into."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from howdah.check.git import Repository, Tree, is_plain
from howdah.check.report import RuleFinding
from howdah.errors import CommandError, ConfigError
from howdah.findings import Finding, Severity
from howdah.migrate.formats.files import no_directory
from howdah.migrate.formats.interface import Format
from howdah.observe.verdict import Verdict

NONE = "none"
"""What to say where nothing is to be compared with."""

# The variables in which a CI says where the change is to go. GitHub, GitLab, Bitbucket, Azure, Jenkins, Buildkite.
_BRANCH_VARIABLES = (
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "CHANGE_TARGET",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
)
_COMMIT_VARIABLE = "CI_MERGE_REQUEST_DIFF_BASE_SHA"
_GUESSES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


@dataclass(frozen=True)
class Base:
    """The branch that is compared with.

    Attributes:
        name: for people: "origin/main"; "" where there is none.
        folder: the paths of the trees are relative to it.
        released: the files where this work began from the base.
        tip: the files of the base as it is now.
        note: why there is none, where nobody asked for that.
    """

    name: str = ""
    folder: Path = field(default_factory=Path)
    released: Tree = field(default_factory=dict)
    tip: Tree = field(default_factory=dict)
    note: RuleFinding | None = None

    @property
    def repository(self) -> Repository:
        """Where the content of the files is."""
        return Repository(self.folder)


def read_base(
    format: Format, directory: Path, ref: str | None = None, *, environ: Mapping[str, str] = os.environ
) -> Base:
    """The released files of a folder of migrations; without a name, or a note why, where there is nothing to compare.

    `ref` is a branch or commit, or "none"; without it what the CI says, or else the repository's main branch.

    Raises:
        ConfigError: the branch that was named, by a person or by the CI, is not there, or not enough of its history.
        SourceError: there is no such folder.
        CommandError: git failed.
    """
    if ref == NONE:
        return Base()
    if not directory.is_dir():
        raise no_directory(directory)
    where = _places(format, directory)
    repository = Repository(where.folder)
    try:
        return _read(repository, where, ref, environ)
    except FileNotFoundError:
        return _without(ref, "the program git is not installed")
    except CommandError as error:
        return _refused(ref, where.folder, error)


@dataclass(frozen=True)
class _Where:
    """The folder to look from, the places in it (none: itself), and whether what is below them counts."""

    folder: Path
    places: tuple[str, ...] = ()
    is_deep: bool = True


def _places(format: Format, directory: Path) -> _Where:
    """Where the files are: Alembic's may be in several places, far below the folder that is named."""
    if format.name != "alembic":
        return _Where(directory)
    from howdah.migrate.formats.alembic.places import find_places

    places = find_places(directory)
    found = [each.absolute() for each in places.versions if each.is_dir()] or [directory]
    if len(found) == 1:
        return _Where(found[0], is_deep=places.recursive)
    folder = Path(os.path.commonpath(found))
    inside = tuple(f"{each.relative_to(folder).as_posix()}/" for each in found)
    return _Where(folder, inside, places.recursive)


def _read(repository: Repository, where: _Where, ref: str | None, environ: Mapping[str, str]) -> Base:
    is_inside, is_shallow, is_nested = repository.describe()
    if not is_inside:
        return _without(ref, "the folder is not in a work tree of git")
    # What the CI says is said of the outer repository.
    said = "" if ref or is_nested else _said_by_ci(environ)
    names = _candidates(ref, said, environ)
    found = repository.resolve([*names, "HEAD"])
    name = next((each for each in names if each in found), None)
    if "HEAD" not in found:
        return _without(ref, "the branch has no commit yet")
    if name is None:
        if ref or said:
            raise _unknown(ref or said, said, is_shallow=is_shallow)
        return _without(None, "none of " + ", ".join(_GUESSES) + " is there")
    parted = found[name] if found[name] == found["HEAD"] else repository.merge_base(found[name])
    if parted is None:
        if ref or said or is_shallow:
            raise _unrelated(name, is_shallow=is_shallow)
        return _without(None, f"{name} and this branch have no history in common")
    released = repository.list_files(parted, where.places, is_deep=where.is_deep)
    tip = released
    if parted != found[name]:
        tip = repository.list_files(found[name], where.places, is_deep=where.is_deep)
    return Base(_shown(repository, name), where.folder, released, tip)


def _said_by_ci(environ: Mapping[str, str]) -> str:
    """The branch, or else the commit, that the CI names; "" where it names none."""
    for variable in (*_BRANCH_VARIABLES, _COMMIT_VARIABLE):
        if value := environ.get(variable, "").removeprefix("refs/heads/"):
            return value
    return ""


def _candidates(ref: str | None, said: str, environ: Mapping[str, str]) -> list[str]:
    """What may mean the base, the best first."""
    if ref:
        return [ref]
    if not said:
        return list(_GUESSES)
    names = [f"origin/{said}", said]
    if commit := environ.get(_COMMIT_VARIABLE):
        names.append(commit)
    if environ.get("GITHUB_REF", "").startswith("refs/pull/"):
        names.append("HEAD^1")  # GitHub checks out the merge of the change into the base
    return names


def _shown(repository: Repository, name: str) -> str:
    """The branch that a name stands for, where it only points to one."""
    if name != "origin/HEAD":
        return name
    try:
        return repository.ask("symbolic-ref", "--short", "refs/remotes/origin/HEAD")
    except CommandError:
        return name


def _without(ref: str | None, reason: str) -> Base:
    """Nothing to compare with. Raises ConfigError where somebody asked for it."""
    if ref:
        raise ConfigError(
            f"cannot compare with {ref}: {reason}",
            code="unknown-base",
            next=("howdah check --base none",),
        )
    finding = Finding(
        code="no-base",
        severity=Severity.INFO,
        message=f"compared with no base: {reason}",
        why="Every migration counts as new.",
        fix="Name what is released with --base, or say --base none.",
    )
    return Base(note=RuleFinding(finding, Verdict.SAFE))


def _refused(ref: str | None, folder: Path, error: CommandError) -> Base:
    """What a failure of git means."""
    if "dubious ownership" in error.stderr:
        raise ConfigError(
            f"git does not look into {folder}: it belongs to somebody else",
            code="git-refuses",
            why="git reads only repositories of the user that runs it, and such as are declared safe.",
            next=(f"git config --global --add safe.directory {shlex.quote(str(_root(folder)))}",),
        ) from error
    if "not a git repository" in error.stderr:
        return _without(ref, "the folder is not in a repository of git")
    raise error


def _root(folder: Path) -> Path:
    absolute = folder.absolute()
    return next((each for each in (absolute, *absolute.parents) if (each / ".git").exists()), absolute)


def _unknown(name: str, said: str, *, is_shallow: bool) -> ConfigError:
    if not is_plain(name):
        return ConfigError(f"'{name}' is no name of a branch or commit", code="unknown-base")
    branch = name.removeprefix("origin/")
    fetch = f"git fetch origin {shlex.quote(f'{branch}:refs/remotes/origin/{branch}')}"
    return ConfigError(
        f"there is no branch or commit {name} here",
        code="unknown-base",
        why=f"The CI says that the change is to go into {said}, and the checkout did not fetch it."
        if said
        else None,
        fix="Fetch it, or check out with the whole history (in GitHub's checkout action: fetch-depth: 0).",
        next=(f"{fetch} --unshallow" if is_shallow else fetch,),
    )


def _unrelated(name: str, *, is_shallow: bool) -> ConfigError:
    if is_shallow:
        return ConfigError(
            f"the history here does not reach back to where this branch left {name}",
            code="shallow-clone",
            why="The repository was cloned with a depth: what is new cannot be told from what is released.",
            fix="Fetch the rest, or clone with the whole history (in GitHub's checkout action: fetch-depth: 0).",
            next=("git fetch --unshallow",),
        )
    return ConfigError(
        f"{name} and this branch have no history in common",
        code="unknown-base",
        fix="Name the branch that this one began from.",
        next=("howdah check --base none",),
    )
