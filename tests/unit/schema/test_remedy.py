"""The statement that brings a live database back to what its migrations build, without a server."""

from __future__ import annotations

import pytest

from howdah.schema.compare import Difference
from howdah.schema.definition import marks_of, split_column, split_on, without_marks
from howdah.schema.remedy import remedy


def test_what_a_function_says_is_left_as_it_is() -> None:
    text = "CREATE OR REPLACE FUNCTION public.f() RETURNS text AS $$ SELECT 'account (disabled)' $$"
    assert remedy(Difference("function", "public.f()", text, None)) == f"{text};"


def test_a_default_comes_back_without_what_stands_behind_it() -> None:
    before, after = "text DEFAULT 'a'::text STORAGE PLAIN", "text DEFAULT 'b'::text STORAGE PLAIN"
    assert (
        remedy(Difference("column", "public.t.c", before, after))
        == "ALTER TABLE public.t ALTER COLUMN c SET DEFAULT 'a'::text;"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("text STORAGE PLAIN", "text"),
        ("bigint NOT NULL GENERATED ALWAYS AS IDENTITY", "bigint NOT NULL"),
        ("text STATISTICS 500", None),
    ],
)
def test_what_one_statement_cannot_bring_back_has_no_remedy(before: str, after: str | None) -> None:
    assert remedy(Difference("column", "public.t.c", before, after)) is None


def test_names_are_parted_where_quotes_end() -> None:
    assert split_on('"a on b" on public."c on d"') == ('"a on b"', 'public."c on d"')
    assert split_column('public."a.b"."c ""d"" e"') == ('public."a.b"', '"c ""d"" e"')


def test_marks_stand_at_the_end_and_there_may_be_several() -> None:
    index = "CREATE UNIQUE INDEX i ON public.t USING btree (a)"
    assert without_marks(f"{index} (clustered) (replica identity)") == index
    assert marks_of(f"{index} (clustered) (replica identity)") == "(clustered) (replica identity)"
    assert not marks_of(index)
