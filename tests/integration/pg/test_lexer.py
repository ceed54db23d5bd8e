"""Lexical rules that the unit tests' oracle (libpg_query) gets wrong or cannot show, on a real server."""

from __future__ import annotations

import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.pg.normal_form import normal_form
from howdah.pg.statements import split_script

STRINGS = {
    "'a'\n'b'": "ab",
    "'a' -- it's a comment;\n 'b'": "ab",
    "'a'\n--x\n\n--y\r'b;'": "ab;",
    "E'a'\n--'\n'\\'b;'": "a'b;",
    "e'\\';'\r\n'\\\\'": "';\\",
    "U&'\\0061;'\n'\\0062'": "a;b",
    "$a$;$b$;$a$": ";$b$;",
    "$é$ $e$; $é$": " $e$; ",
    "N'a;b'": "a;b",
    "'\\'": "\\",
}


@pytest.mark.parametrize("literal", STRINGS)
def test_a_literal_means_to_the_server_what_it_means_to_us(database: DatabaseConfig, literal: str) -> None:
    script = f"SELECT {literal}::text ; SELECT 2"
    first, second = split_script(script)
    assert second.text == "SELECT 2"
    with connect(database) as connection:
        for text in (first.text, split_script(normal_form(script))[0].text):
            row = connection.execute(text.encode()).fetchone()
            assert row == (STRINGS[literal],)
