"""The normal form of an SQL script: what a checksum should see, so that re-formatting a file is no change."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from itertools import islice

from howdah.pg import lexer
from howdah.pg.lexer import BYTE_ORDER_MARK, Kind, read_tokens, refuse_nul

# PostgreSQL folds ASCII letters only; str.lower would fold more.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_PART = re.compile(rf"({lexer.PLAIN_PART})(?:{lexer.CONTINUATION})?+")
_ESCAPE_PART = re.compile(rf"({lexer.ESCAPE_PART})(?:{lexer.CONTINUATION})?+", re.DOTALL)
_WORD, _COMMENT, _STRING = Kind.WORD, Kind.COMMENT, Kind.STRING  # a look-up less for each of many tokens


def normal_form(script: str) -> str:
    """The script's tokens with one blank between them, unquoted words in lower case, empty statements left out.

    Two scripts with the same normal form are parsed to the same statements. Comments, blank space, line ends, a
    byte order mark and the case of unquoted words do not matter; literals, function bodies among them, do.
    Raises ScriptError as `split_script` does.
    """
    refuse_nul(script)
    pieces = _pieces(script)
    # Joined in batches: a list of all tokens would take many times the memory of the script.
    batches = iter(lambda: " ".join(islice(pieces, 4096)), "")
    return " ".join(batches).removesuffix(" ;")


def _pieces(script: str) -> Iterator[str]:
    previous = ";"
    for kind, begin, end in read_tokens(script, int(script.startswith(BYTE_ORDER_MARK))):
        piece = script[begin:end]
        if kind is _WORD:
            piece = piece.lower() if piece.isascii() else piece.translate(_LOWER)
        elif kind is _COMMENT or previous == piece == ";":
            continue
        elif kind is _STRING and piece[0] != "$":
            piece = _join_parts(piece)
        yield piece
        previous = piece


def _join_parts(literal: str) -> str:
    """The literal with a bare newline between the parts of which it is made."""
    if "\n" not in literal and "\r" not in literal:
        return literal
    prefix = literal[: literal.index("'")]
    parts = (_ESCAPE_PART if prefix in {"e", "E"} else _PART).findall(literal, len(prefix))
    return prefix + "\n".join(parts)
