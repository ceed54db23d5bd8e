"""Splitter, lexer and normal form against PostgreSQL's own parser, on random scripts."""

from __future__ import annotations

from itertools import pairwise

import pytest

from howdah.errors import ScriptError
from howdah.pg.lexer import Kind, read_tokens
from howdah.pg.normal_form import normal_form
from howdah.pg.statements import split_script
from unit.pg import oracle
from unit.pg.script_generator import Generator

SLOW_SCRIPTS = 120_000
QUICK_SCRIPTS = 3_000
CHUNKS = 8


def script_number(number: int) -> str:
    """A valid script mostly, one in four with blanks left out where they may matter, and one in three damaged."""
    generator = Generator(number)
    script = generator.render(generator.script(), glue=number % 4 == 1)
    if number % 3 == 2:
        script = generator.damage(script).lstrip(
            "\ufeff"
        )  # a mark at the start is blank to us, a letter to servers
    return script


def compare(script: str) -> bool:
    """Assert that we see what the oracle sees; returns whether the oracle accepts the script."""
    try:
        wanted = oracle.statements_of(script)
    except oracle.Rejected:
        compare_refused(script)
        return False
    statements = split_script(script)
    assert [statement.text for statement in statements] == wanted
    for statement in statements:
        assert script[statement.offset : statement.end] == statement.text
        assert statement.line == script.count("\n", 0, statement.offset) + 1
    normal = normal_form(script)
    assert oracle.tree_of(normal) == oracle.tree_of(script)
    assert normal_form(normal) == normal
    compare_tokens(script)
    return True


def compare_refused(script: str) -> None:
    """A script that the parser refuses may be split in any way, but what makes it wrong must not get lost."""
    try:
        normal = normal_form(script)
    except ScriptError:
        return
    split_script(script)
    with pytest.raises(oracle.Rejected):
        oracle.tree_of(normal)


def compare_tokens(script: str) -> None:
    source = script.encode()
    wanted = [
        source[start:end].decode() for start, end, is_comment in oracle.tokens_of(script) if not is_comment
    ]
    ours = [script[start:end] for kind, start, end in read_tokens(script) if kind is not Kind.COMMENT]
    assert ours == wanted


def run(numbers: range) -> None:
    accepted = 0
    for number in numbers:
        script = script_number(number)
        if oracle.is_misread(script):
            continue
        try:
            accepted += compare(script)
        except Exception as error:
            error.add_note(f"script_number({number}): {script!r}")
            raise
    assert accepted > len(numbers) * 0.4, f"only {accepted} scripts were valid: the comparison says little"


def test_random_scripts_are_split_as_postgresql_splits_them() -> None:
    run(range(QUICK_SCRIPTS))


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_very_many_random_scripts_are_split_as_postgresql_splits_them(chunk: int) -> None:
    size = SLOW_SCRIPTS // CHUNKS
    run(range(1_000_000 + chunk * size, 1_000_000 + (chunk + 1) * size))


def test_scripts_of_the_same_tokens_have_the_same_normal_form() -> None:
    for number in range(500):
        generator = Generator(number)
        tokens = generator.script()
        if any(one.endswith("'") and two.startswith("'") for one, two in pairwise(tokens)):
            continue  # a newline between two strings makes them one
        assert normal_form(generator.render(tokens)) == normal_form(generator.render(tokens)), tokens
