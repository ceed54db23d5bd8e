"""The pages say what is so: commands, options, error codes, exit codes, public names and links."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import howdah
from howdah.check.file_rules import OF_DATA, OF_FILES, OF_HISTORY
from howdah.check.rules import RULES
from howdah.cli import exit_codes
from howdah.cli.root import root

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/*/README.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(howdah [a-z][^`]+|make [a-z-]+)`")
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)?(#[^)\s]+)?\)")
_SHELL = {"sh", "bash", "console"}


def test_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def code_blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each fenced block."""
    for found in _FENCE.finditer(page.read_text()):
        yield found[1], found[2]


def typed_commands(page: Path) -> list[list[str]]:
    """The words of every `howdah ...` and `make ...` that a page tells its reader to type."""
    lines = [found[1] for found in _INLINE.finditer(_FENCE.sub("", page.read_text()))]
    for language, text in code_blocks(page):
        if language in _SHELL:
            lines += [line.removeprefix("$ ") for line in text.replace("\\\n", " ").splitlines()]
    return [words for line in lines for words in _simple_commands(line)]


def _simple_commands(line: str) -> Iterator[list[str]]:
    """The commands of a shell line that call howdah or make, without variables before and what follows."""
    if ("howdah " not in line and not line.startswith("make ")) or "<TAB>" in line:
        return
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>()")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set(";&|<>()"):
            yield from _without_variables(words)
            words = []
        else:
            words.append(word)


def _without_variables(words: list[str]) -> Iterator[list[str]]:
    while words and re.match(r"\w+=", words[0]):
        words = words[1:]
    if words and words[0] in ("howdah", "make"):
        yield words


def wrong_with(words: list[str]) -> str | None:
    """Why `howdah ...` cannot be typed; None where it can."""
    command: click.Command = root
    context = click.Context(root, info_name="howdah")
    for position, word in enumerate(words[1:], 1):
        if word in ("...", "…") or word.startswith("$"):
            continue
        if word == "--":
            return None
        if word.startswith("-"):
            known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
            if word.split("=")[0] not in known | {"--help", "-h"}:
                return f"{' '.join(words[:position])} has no option {word}"
        elif isinstance(command, click.Group) and not words[position - 1].startswith("-"):
            found = command.get_command(context, word)
            if found is None:
                return f"{' '.join(words[:position])} has no action {word}"
            command = found
    return None


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_exist(page: Path) -> None:
    wrong = []
    for words in typed_commands(page):
        if words[0] == "make":
            wrong += [
                f"no target {word}" for word in words[1:] if "=" not in word and word not in make_targets()
            ]
        else:
            reason = wrong_with(words)
            wrong += [reason] if reason else []
    assert not wrong, "\n".join(wrong)


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert wrong_with(["howdah", "migrate", "sideways"])
    assert wrong_with(["howdah", "migrate", "up", "--sideways"])
    assert wrong_with(["howdah", "migrate", "up", "--url", "x"]) is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    broken = []
    for target, anchor in _LINK.findall(_FENCE.sub("", page.read_text())):
        file = page.parent / target if target else page
        if not file.exists() or (anchor and anchor[1:] not in anchors(file)):
            broken.append(target + anchor)
    assert not broken


def anchors(page: Path) -> set[str]:
    """The anchors that a renderer makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    folder = ROOT / "docs" / "reference" / "rules"
    rules = {each.name for each in RULES} | set(OF_FILES) | set(OF_HISTORY) | set(OF_DATA)
    assert {page.stem for page in folder.glob("*.md")} - {"README"} == rules
    listed = re.findall(
        r"^\| \[([a-z0-9-]+)\]\(\1\.md\) \|", (folder / "README.md").read_text(), re.MULTILINE
    )
    assert sorted(listed) == sorted(rules)


def test_the_table_of_rules_has_their_verdicts() -> None:
    table = (ROOT / "docs" / "reference" / "rules" / "README.md").read_text()
    assert not [
        each for each in RULES if f"| [{each.name}]({each.name}.md) | {each.verdict.value} |" not in table
    ]


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "reference" / "rules").glob("*-*.md")), ids=lambda page: page.stem
)
def test_a_page_of_a_rule_says_what_to_use_instead(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Problem", "Instead of", "Use"]


def test_every_exit_code_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text()
    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == codes


def test_every_public_name_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text()
    assert re.findall(r"^## `(\w+)`$", page, re.MULTILINE) == sorted(howdah.__all__)


def test_the_first_screen_of_the_readme_shows_code() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    fences = [number for number, line in enumerate(lines, 1) if line.startswith("```")]
    assert fences[0] < 25
    assert "make demo" in "\n".join(lines[:25])
    assert "make test" in "\n".join(lines[:25])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_on_a_page_compiles_and_imports_public_names_only(page: Path) -> None:
    for language, text in code_blocks(page):
        if language == "python":
            for node in ast.walk(ast.parse(textwrap.dedent(text))):
                if isinstance(node, ast.ImportFrom) and node.module == "howdah":
                    assert {name.name for name in node.names} <= set(howdah.__all__)
