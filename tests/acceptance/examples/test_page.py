"""The runner of pages notices what it is there to notice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acceptance.examples.page import run_page

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/", "LC_ALL": "C.UTF-8"}


def run(folder: Path, text: str, **options: dict[str, str]) -> int:
    page = folder / "README.md"
    page.write_text(text, encoding="utf-8")
    return run_page(page, folder=folder, environment=ENVIRONMENT, **options)


def console(*lines: str) -> str:
    return "\n".join(["```console", *lines, "```", ""])


def test_commands_run_in_order_and_share_a_shell(tmp_path: Path) -> None:
    text = console("$ export NAME=one", "$ mkdir sub && cd sub") + console(
        '$ echo "$NAME in $(basename $PWD)"', "one in sub"
    )
    assert run(tmp_path, text) == 3


@pytest.mark.parametrize(
    "shown",
    [
        ["first 1", "second 2", "third 3"],
        ["first ...", "second ...", "... 3"],
        ["first 1", "...", "third 3"],
        ["..."],
        ["...", "second 2", "..."],
        ["first 1", "...", "second 2", "third 3"],
    ],
)
def test_shown_output_with_wildcards_fits(tmp_path: Path, shown: list[str]) -> None:
    assert run(tmp_path, console(r"$ printf 'first 1\nsecond 2\nthird 3\n'", *shown)) == 1


@pytest.mark.parametrize(
    "shown",
    [
        ["first 1"],
        ["first 1", "second 2", "third 3", "fourth"],
        ["second 2", "..."],
        ["first ...", "third 3"],
        ["first.1", "..."],
    ],
)
def test_other_output_is_an_error(tmp_path: Path, shown: list[str]) -> None:
    with pytest.raises(AssertionError, match=r"README.md:2\n"):
        run(tmp_path, console(r"$ printf 'first 1\nsecond 2\nthird 3\n'", *shown))


def test_a_failing_command_is_an_error_unless_the_page_says_so(tmp_path: Path) -> None:
    assert run(tmp_path, console("$ (exit 3)  # exits with 3", "$ echo on", "on")) == 2
    with pytest.raises(AssertionError, match="exits with 1"):
        run(tmp_path, console("$ false"))
    with pytest.raises(AssertionError, match="exits with 0"):
        run(tmp_path, console("$ true  # exits with 3"))


def test_both_streams_are_compared(tmp_path: Path) -> None:
    assert run(tmp_path, console("$ echo oops >&2", "oops")) == 1


def test_a_command_may_have_several_lines_and_takes_none_of_the_next(tmp_path: Path) -> None:
    text = console("$ cat <<'END'", "> one", "> END", "one", "$ cat", "$ echo two", "two")
    assert run(tmp_path, text) == 3


def test_a_command_that_nobody_tried_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="neither run nor marked"):
        run(tmp_path, "```bash\nfalse\n```\n")
    assert run(tmp_path, "<!-- not run: it fails -->\n```bash\nfalse\n```\n") == 0


def test_an_excerpt_is_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[a]\nb = 1\nc = 2\n", encoding="utf-8")
    excerpt = "<!-- from: settings.toml -->\n```toml\n{}\n```\n"
    assert run(tmp_path, excerpt.format("[a]\nb = 1")) == 0
    with pytest.raises(AssertionError, match=r"settings\.toml does not say this"):
        run(tmp_path, excerpt.format("[a]\nb = 2"))


def test_the_machine_s_own_values_are_put_in(tmp_path: Path) -> None:
    assert run(tmp_path, console("$ echo 5432", "5432"), replace={"5432": "6000"}) == 1
    with pytest.raises(AssertionError, match="does not say 7000"):
        run(tmp_path, console("$ true"), replace={"7000": "6000"})
