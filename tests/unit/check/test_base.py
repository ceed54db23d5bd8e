"""What is released, found in repositories that the real git made."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from fix_git import GitRepository
from howdah.check.base import Base, read_base
from howdah.errors import ConfigError, SourceError
from howdah.migrate.formats import find_format

FORMAT = find_format("golang-migrate")
PAIR = {"001_a.up.sql": "SELECT 1;", "001_a.down.sql": "SELECT 1;"}


def base_of(folder: Path, ref: str | None = None, **environ: str) -> Base:
    return read_base(FORMAT, folder, ref, environ=environ)


def note_of(base: Base) -> str:
    assert base.note is not None
    assert base.note.finding.code == "no-base"
    return base.note.finding.message


def test_without_git_nothing_is_compared_and_that_is_said(repository: GitRepository, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    assert "not in a repository" in note_of(base_of(folder))
    with pytest.raises(ConfigError, match="cannot compare with origin/main"):
        base_of(folder, "origin/main")


def test_without_the_program_nothing_is_compared(
    repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit(PAIR)
    monkeypatch.setenv("PATH", "/nowhere")

    assert "not installed" in note_of(base_of(repository.migrations))


def test_a_folder_that_is_not_there_is_no_matter_of_git(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no directory"):
        base_of(tmp_path / "nowhere", "main")


def test_none_means_no_base_and_no_note(repository: GitRepository) -> None:
    repository.commit(PAIR)

    assert base_of(repository.migrations, "none") == Base()


def test_a_branch_without_a_commit_has_no_base(repository: GitRepository) -> None:
    repository.write(PAIR)

    assert "no commit yet" in note_of(base_of(repository.migrations))


def test_the_main_branch_is_the_base_where_nobody_names_one(repository: GitRepository) -> None:
    repository.commit(PAIR)
    repository.git("checkout", "-q", "-b", "work")
    repository.commit({"002_b.up.sql": "SELECT 2;"})

    base = base_of(repository.migrations)

    assert base.name == "main"
    assert set(base.released) == set(PAIR)


def test_a_main_branch_of_another_name_is_found_by_the_remote(
    repository: GitRepository, tmp_path: Path
) -> None:
    repository.commit(PAIR)
    repository.git("branch", "-m", "main", "trunk")
    clone = GitRepository(tmp_path / "clone")
    repository.git("clone", "-q", str(repository.root), str(clone.root))

    assert base_of(clone.migrations).name == "origin/trunk"


def test_where_no_branch_is_a_main_one_nothing_is_compared(repository: GitRepository) -> None:
    repository.commit(PAIR)
    repository.git("branch", "-m", "main", "work")

    assert "none of origin/HEAD" in note_of(base_of(repository.migrations))


@pytest.mark.parametrize(
    "variable",
    [
        "GITHUB_BASE_REF",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
        "BITBUCKET_PR_DESTINATION_BRANCH",
        "CHANGE_TARGET",
    ],
)
def test_the_ci_says_the_base(repository: GitRepository, tmp_path: Path, variable: str) -> None:
    repository.commit(PAIR)
    repository.git("branch", "release/2.0")
    clone = GitRepository(tmp_path / "clone")
    repository.git("clone", "-q", str(repository.root), str(clone.root))

    assert base_of(clone.migrations, **{variable: "release/2.0"}).name == "origin/release/2.0"
    assert base_of(clone.migrations, SYSTEM_PULLREQUEST_TARGETBRANCH="refs/heads/release/2.0").name == (
        "origin/release/2.0"
    )


def test_gitlab_says_the_commit_where_the_branch_was_not_fetched(repository: GitRepository) -> None:
    first = repository.commit(PAIR)
    repository.commit({"002_b.up.sql": "SELECT 2;"})

    base = base_of(
        repository.migrations,
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="gone",
        CI_MERGE_REQUEST_DIFF_BASE_SHA=first,
    )

    assert (base.name, set(base.released)) == (first, set(PAIR))


def test_the_merge_that_github_checks_out_has_the_base_as_its_first_parent(repository: GitRepository) -> None:
    repository.commit(PAIR)
    repository.git("checkout", "-q", "-b", "work")
    repository.commit({"002_b.up.sql": "SELECT 2;"})
    repository.git("checkout", "-q", "main")
    repository.commit({"003_c.up.sql": "SELECT 3;"})
    repository.git("checkout", "-q", "--detach")
    repository.git("merge", "-q", "--no-edit", "work")
    repository.git("branch", "-D", "main")

    base = base_of(repository.migrations, GITHUB_BASE_REF="main", GITHUB_REF="refs/pull/7/merge")

    assert set(base.released) == {*PAIR, "003_c.up.sql"}


def test_the_command_that_fetches_a_branch_runs_nothing_that_its_name_says(repository: GitRepository) -> None:
    repository.commit(PAIR)

    with pytest.raises(ConfigError) as told:
        base_of(repository.migrations, GITHUB_BASE_REF="a;$(id)")

    assert told.value.next == ("git fetch origin 'a;$(id):refs/remotes/origin/a;$(id)'",)


def test_a_base_that_is_not_there_is_told_with_the_command_that_fetches_it(repository: GitRepository) -> None:
    repository.commit(PAIR)

    with pytest.raises(ConfigError) as told:
        base_of(repository.migrations, "origin/main")
    assert told.value.next == ("git fetch origin main:refs/remotes/origin/main",)
    with pytest.raises(ConfigError) as told:
        base_of(repository.migrations, GITHUB_BASE_REF="release")
    assert told.value.code == "unknown-base"
    assert "did not fetch" in (told.value.why or "")


@pytest.mark.parametrize("name", ["--output=/tmp/x", "-c", "a b", "a\nb", "", "main..main"])
def test_a_name_that_is_no_name_is_refused(repository: GitRepository, name: str) -> None:
    repository.commit(PAIR)
    if not name:
        assert base_of(repository.migrations, name).name == "main"
        return
    with pytest.raises(ConfigError):
        base_of(repository.migrations, name)


def test_a_clone_of_too_little_depth_is_told_with_the_command(
    repository: GitRepository, tmp_path: Path
) -> None:
    repository.commit(PAIR)
    repository.git("checkout", "-q", "-b", "work")
    repository.commit({"002_b.up.sql": "SELECT 2;"})
    repository.git("checkout", "-q", "main")
    repository.commit({"003_c.up.sql": "SELECT 3;"})
    clone = GitRepository(tmp_path / "clone")
    url = f"file://{repository.root}"
    repository.git("clone", "-q", "--depth=1", "--no-single-branch", "-b", "work", url, str(clone.root))

    with pytest.raises(ConfigError) as told:
        base_of(clone.migrations)
    assert (told.value.code, told.value.next) == ("shallow-clone", ("git fetch --unshallow",))

    clone.git("fetch", "-q", "--unshallow")
    assert base_of(clone.migrations).name == "origin/main"


def test_histories_without_a_common_beginning_are_told(repository: GitRepository) -> None:
    repository.commit(PAIR)
    repository.git("checkout", "-q", "--orphan", "other")
    repository.commit({"002_b.up.sql": "SELECT 2;"})

    assert "no history in common" in note_of(base_of(repository.migrations))
    with pytest.raises(ConfigError, match="no history in common"):
        base_of(repository.migrations, "main")


def test_a_bare_repository_has_no_files_to_compare(repository: GitRepository, tmp_path: Path) -> None:
    repository.commit(PAIR)
    repository.git("clone", "-q", "--bare", str(repository.root), str(tmp_path / "bare.git"))

    assert "not in a work tree" in note_of(base_of(tmp_path / "bare.git"))


def test_a_linked_work_tree_is_compared(repository: GitRepository, tmp_path: Path) -> None:
    repository.commit(PAIR)
    repository.git("worktree", "add", "-q", "-b", "work", str(tmp_path / "linked"))

    assert set(base_of(tmp_path / "linked" / "migrations").released) == set(PAIR)


def test_in_a_submodule_its_own_branches_count_whatever_the_ci_says(
    repository: GitRepository, tmp_path: Path
) -> None:
    repository.commit(PAIR)
    outer = GitRepository(tmp_path / "outer")
    outer.root.mkdir()
    outer.git("init", "-q", "-b", "main")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository.root), "inner")

    base = base_of(outer.root / "inner" / "migrations", GITHUB_BASE_REF="release")

    assert base.name == "origin/main"


def test_a_hook_of_another_repository_does_not_lead_astray(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit(PAIR)
    other = GitRepository(tmp_path / "other")
    other.root.mkdir()
    other.git("init", "-q", "-b", "main")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))

    assert base_of(repository.migrations).name == "main"


@pytest.mark.skipif(os.geteuid() != 0, reason="gives the folder to another user")
def test_a_repository_of_somebody_else_is_told_with_the_command(
    repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit(PAIR)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.delenv("SUDO_UID", raising=False)
    for path in (repository.root, *repository.root.rglob("*")):
        os.chown(path, 65534, 65534)

    with pytest.raises(ConfigError) as told:
        base_of(repository.migrations)

    assert told.value.code == "git-refuses"
    assert told.value.next == (f"git config --global --add safe.directory {repository.root}",)


def test_a_name_of_any_kind_is_read_as_it_is(repository: GitRepository) -> None:
    names = ["001_a b.up.sql", "002_'q\".up.sql", "003_ä.up.sql", "004_a\nb.up.sql", "-5_a.up.sql"]
    repository.commit(dict.fromkeys(names, "SELECT 1;"))

    assert set(base_of(repository.migrations).released) == set(names)


def test_sha256_repositories_are_read(repository: GitRepository) -> None:
    shutil.rmtree(repository.root / ".git")
    subprocess.run(
        ["git", "init", "-q", "-b", "main", "--object-format=sha256"], cwd=repository.root, check=True
    )
    repository.commit(PAIR)

    assert {len(each) for each in base_of(repository.migrations).released.values()} == {64}
