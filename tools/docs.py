"""Write the pages of docs/reference that follow from the code, or check that they are current.

python tools/docs.py           rewrite docs/reference/cli.md, add missing entries to docs/reference/errors.md
python tools/docs.py --check   exit 1 and say what is out of date
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from howdah.cli.root import root

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "howdah"
DOCS = ROOT / "docs"
INDEX_PAGE = DOCS / "index.md"
CLI_PAGE = DOCS / "reference" / "cli.md"
ERRORS_PAGE = DOCS / "reference" / "errors.md"
# folder of docs -> its heading in the index
KINDS = {
    "tutorial": "Learn",
    "how-to": "Do",
    "reference": "Look up",
    "explanation": "Understand",
    "decisions": "Decisions",
}
# Until its entry is written, an error's page says this; `--check` does not let it pass.
TO_WRITE = "(to be written)"
_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def index_page() -> str:
    """The text of docs/index.md: every page below docs/, by kind."""
    parts = ["# Documents", "", "Written by `tools/docs.py` from the pages' headings; do not edit."]
    for folder, heading in KINDS.items():
        pages = sorted((DOCS / folder).glob("*.md"))
        parts += ["", f"## {heading}", "", *(f"- [{_title(page)}]({folder}/{page.name})" for page in pages)]
        if folder == "tutorial":
            examples = sorted((ROOT / "examples").glob("*/README.md"))
            parts += [
                f"- Example {page.parent.name}: [{_title(page)}](../{page.relative_to(ROOT)})"
                for page in examples
            ]
        if folder == "reference":
            parts.append("- [Glossary](glossary.md)")
    return "\n".join(parts) + "\n"


def _title(page: Path) -> str:
    return page.read_text().removeprefix("# ").split("\n", 1)[0]


def commands(group: click.Group, prefix: str = "howdah") -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, by the words that call it: areas, then their actions."""
    context = click.Context(group, info_name=prefix)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield f"{prefix} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")


def cli_page() -> str:
    """The text of docs/reference/cli.md."""
    parts = [
        "# Command line",
        "",
        "Written by `tools/docs.py` from the commands themselves; do not edit.",
        "Exit codes: [exit-codes.md](exit-codes.md). What `--json` prints: [json.md](json.md).",
    ]
    for words, command in commands(root):
        depth = words.count(" ")
        parts += ["", f"{'#' * (depth + 1)} {words}", ""]
        parts += _command_section(words, command)
    return "\n".join(parts) + "\n"


def _command_section(words: str, command: click.Command) -> list[str]:
    context = click.Context(command, info_name=words)
    usage = " ".join([words, *command.collect_usage_pieces(context)])
    lines = ["```", usage, "```", "", *_dedented(command.help or "")]
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    if options:
        lines += ["", "| option | environment | meaning |", "|---|---|---|"]
        lines += [_option_row(option, context) for option in options]
    return lines


def _dedented(text: str) -> list[str]:
    """A command's help as markdown: what it shows verbatim becomes a code block."""
    lines: list[str] = []
    verbatim = False
    for line in inspect.cleandoc(text).replace("\f", "").split("\n"):
        if line.strip() == "\b":
            verbatim = True
            lines.append("```")
        elif verbatim and not line.strip():
            verbatim = False
            lines += ["```", ""]
        else:
            lines.append(line)
    return [*lines, "```"] if verbatim else lines


def _option_row(option: click.Option, context: click.Context) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
    variables = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
    shown = option.show_default and option.default not in (None, "")
    meaning = (option.help or "") + (f" Default: {option.default}." if shown else "")
    cells = (f"`{names}{value}`", ", ".join(f"`{name}`" for name in variables), " ".join(meaning.split()))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def error_codes() -> tuple[set[str], set[str]]:
    """The codes of errors and findings in the source: those written out, and patterns of those composed."""
    trees = [ast.parse(file.read_text()) for file in SOURCE.rglob("*.py")]
    places = {name: place for tree in trees for name, place in _classes_with_codes(tree)}
    codes, patterns = set(), set()
    for tree in trees:
        for value in _code_values(tree, places):
            for node in _branches(value):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    codes.add(node.value)
                elif isinstance(node, ast.JoinedStr) and _CODE.fullmatch(_sample(node)):
                    patterns.add(_pattern(node))
    return {code for code in codes if _CODE.fullmatch(code)}, patterns


def _classes_with_codes(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The dataclasses with a field `code`, and its place among the fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            fields = [ast.unparse(line.target) for line in node.body if isinstance(line, ast.AnnAssign)]
            if "code" in fields:
                yield node.name, fields.index("code")


def _code_values(tree: ast.Module, places: dict[str, int]) -> Iterator[ast.expr]:
    """What becomes a code: an argument `code`, by name or place; an assignment; a result of `_code_of()`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")
            place = places.get(ast.unparse(node.func).split(".")[-1])
            if place is not None and place < len(node.args):
                yield node.args[place]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code":
            yield node.value
        elif isinstance(node, ast.FunctionDef) and re.search("(^|_)code(_of)?$", node.name):
            yield from (line.value for line in ast.walk(node) if isinstance(line, ast.Return) and line.value)


def _branches(value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(value, ast.IfExp):
        yield from _branches(value.body)
        yield from _branches(value.orelse)
    else:
        yield value


def _sample(text: ast.JoinedStr) -> str:
    return "".join(str(piece.value) if isinstance(piece, ast.Constant) else "x" for piece in text.values)


def _pattern(text: ast.JoinedStr) -> str:
    pieces = (
        re.escape(str(piece.value)) if isinstance(piece, ast.Constant) else "[a-z0-9-]+"
        for piece in text.values
    )
    return "".join(pieces)


def rules() -> set[str]:
    """The names of rules: each has a page of its own, and need not stand among the errors, too."""
    return {page.stem for page in (CLI_PAGE.parent / "rules").glob("*-*.md")}


def documented_codes(page: str) -> list[str]:
    """The codes that have an entry, in the page's order."""
    return re.findall(r"^### `?([a-z0-9-]+)`?$", page, re.MULTILINE)


def error_problems(page: str) -> list[str]:
    """What is wrong with the page of errors."""
    codes, patterns = error_codes()
    documented = documented_codes(page)
    composed = {code for code in documented for pattern in patterns if re.fullmatch(pattern, code)}
    return [
        *(f"errors.md has no entry for '{code}'" for code in sorted(codes - set(documented) - rules())),
        *(
            f"errors.md has no entry for any code like '{pattern}'"
            for pattern in sorted(patterns)
            if not any(re.fullmatch(pattern, code) for code in documented)
        ),
        *(
            f"errors.md explains '{code}', which no code raises"
            for code in documented
            if code not in codes | composed
        ),
        *(f"errors.md explains '{code}' twice" for code in set(documented) if documented.count(code) > 1),
        *(["errors.md has entries that are to be written"] if TO_WRITE in page else []),
    ]


def problems() -> list[str]:
    """What is out of date, one line each."""
    generated = {INDEX_PAGE: index_page(), CLI_PAGE: cli_page()}
    stale = [page for page, text in generated.items() if _read(page) != text]
    return [
        *(f"{page.relative_to(ROOT)} is out of date" for page in stale),
        *error_problems(_read(ERRORS_PAGE)),
    ]


def write() -> None:
    """Rewrite what is generated; add what is missing from what is written by hand."""
    CLI_PAGE.write_text(cli_page())
    page = _read(ERRORS_PAGE)
    for code in sorted(error_codes()[0] - set(documented_codes(page)) - rules()):
        page += f"\n### {code}\n\n{TO_WRITE}\n"
    ERRORS_PAGE.write_text(page)
    INDEX_PAGE.write_text(index_page())


def _read(page: Path) -> str:
    return page.read_text() if page.exists() else ""


def main() -> int:
    parser = argparse.ArgumentParser(description="The generated pages of docs/reference.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a page is out of date"
    )
    if not parser.parse_args().check:
        write()
    found = problems()
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print("mend it: .venv/bin/python tools/docs.py, and write what it asks for", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
