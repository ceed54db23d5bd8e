"""dbmate's schema.sql: the text, and which file is dbmate's."""

from __future__ import annotations

from pathlib import Path

import pytest

from howdah.config.url import parse_url
from howdah.migrate.schema_file import dumped_schemas, find_schema_file, schema_text

END = b"\n--\n-- Dbmate schema migrations\n--\n\n"


@pytest.mark.parametrize(
    ("dump", "text"),
    [
        (b"--\n-- PostgreSQL database dump\n--\n\nSET x = 1;\n\n\n", b"SET x = 1;\n\n\n"),
        (b"\\restrict dbmate\n\n-- Dumped by\n", b"\\restrict dbmate\n\n-- Dumped by\n"),
        (b"a \t\v\f\r\n  b\n", b"a\n  b\n"),
        ("a\u00a0\u3000\u2009\x85\nb\x1f\n".encode(), b"a\nb\x1f\n"),
        (b"a\xff \n", b"a\xff\n"),
    ],
)
def test_leading_comments_and_white_space_at_line_ends_go(dump: bytes, text: bytes) -> None:
    assert schema_text(dump, "public.schema_migrations", []) == text + END


def test_the_versions_are_one_insert() -> None:
    text = schema_text(b"x;\n", 'public."T"', ["'1'", "'02'"])

    assert text == b"x;\n" + END + b"INSERT INTO public.\"T\" (version) VALUES\n    ('1'),\n    ('02');\n"


def test_a_dump_of_nothing_is_the_insert_alone() -> None:
    assert schema_text(b"--\n\n", "t", ["'1'"]) == b"INSERT INTO t (version) VALUES\n    ('1');\n"


def test_only_a_file_that_dbmate_wrote_is_its_file(tmp_path: Path) -> None:
    directory = tmp_path / "db" / "migrations"
    directory.mkdir(parents=True)
    usual = tmp_path / "db" / "schema.sql"
    assert find_schema_file(directory, {}) is None

    usual.write_text("CREATE TABLE mine ();\n")
    assert find_schema_file(directory, {}) is None

    usual.write_bytes(b"x;\n" + END)
    assert find_schema_file(directory, {}) == usual
    assert find_schema_file(directory, {"DBMATE_NO_DUMP_SCHEMA": "true"}) is None


def test_the_variable_of_dbmate_says_where_it_is(tmp_path: Path) -> None:
    other = tmp_path / "other.sql"
    other.write_bytes(END)

    assert find_schema_file(tmp_path / "migrations", {"DBMATE_SCHEMA_FILE": str(other)}) == other


@pytest.mark.parametrize(
    ("parameter", "schemas"),
    [("", []), ("?search_path=app", ["app"]), ("?search_path=app,%20other%20,", ["app", "other"])],
)
def test_the_schemas_of_the_address_are_dumped(parameter: str, schemas: list[str]) -> None:
    assert dumped_schemas(parse_url(f"postgres://u@h/d{parameter}")) == schemas
