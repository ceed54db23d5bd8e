from __future__ import annotations

import pytest

from howdah.errors import ConfigError
from howdah.pg.identifiers import check_name, quote_identifier, quote_literal


@pytest.mark.parametrize(
    ("name", "quoted"),
    [("kaimu", '"kaimu"'), ("QuikApp_x", '"QuikApp_x"'), ("uuid-ossp", '"uuid-ossp"'), ('a"b', '"a""b"')],
)
def test_an_identifier_is_always_quoted(name: str, quoted: str) -> None:
    assert quote_identifier(name) == quoted


@pytest.mark.parametrize(("text", "quoted"), [("it's", "'it''s'"), ("a\\'b", "E'a\\\\''b'"), ("", "''")])
def test_a_literal_holds_quotes_and_backslashes(text: str, quoted: str) -> None:
    assert quote_literal(text) == quoted


def test_a_name_of_63_bytes_is_kept() -> None:
    assert check_name("ä" * 31 + "x", what="role") == "ä" * 31 + "x"


@pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "ä" * 32])
def test_a_name_the_server_would_change_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        check_name(name, what="role")
