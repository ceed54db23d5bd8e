"""PostgreSQL's own parser (libpg_query, by postgast): what the splitter and the lexer are judged by.

Two known faults of libpg_query 18 have to be kept out of comparisons (`is_misread`): it does not join two strings
to one constant when a `--` comment stands between them, which servers do (tests/integration/pg/test_lexer.py), and
it accepts a word right behind a parameter, as $1else, which servers since 15 refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import postgast
from postgast.errors import check_error
from postgast.native import lib

Rejected = postgast.PgQueryError

_COMMENTS = {postgast.pg_query_pb2.SQL_COMMENT, postgast.pg_query_pb2.C_COMMENT}
_PLACE = re.compile(rb',?"(?:\w*location\w*|stmt_len|\w*list_start|\w*list_end)":-?\d+')

_MISREAD = re.compile(
    r"'\s*--[^\n\r]*[\n\r](?:\s|--[^\n\r]*[\n\r])*'"  # 'a' -- comment
    r"|\$[0-9]+[A-Za-z_\x80-\U0010ffff]"
)


def is_misread(script: str) -> bool:
    """Whether the oracle may be wrong about the script."""
    return bool(_MISREAD.search(script))


@contextmanager
def _asked(question: str, script: bytes) -> Iterator[Any]:
    result = getattr(lib, f"pg_query_{question}")(script)
    try:
        check_error(result)
        yield result
    finally:
        getattr(lib, f"pg_query_free_{question.partition('_')[0]}_result")(result)


def tokens_of(script: str) -> list[tuple[int, int, bool]]:
    """Start and end, in bytes, of each token, and whether it is a comment. Raises Rejected.

    The two tokens of N'x' are given as one, as in our lexer.
    """
    tokens: list[tuple[int, int, bool]] = []
    prefix: int | None = None
    source = script.encode()
    for token in postgast.scan(script).tokens:
        if source[token.start : token.end + 1] in {b"N'", b"n'"}:
            prefix = token.start
            continue
        tokens.append((token.start if prefix is None else prefix, token.end, token.token in _COMMENTS))
        prefix = None
    return tokens


def statements_of(script: str) -> list[str]:
    """The statements, from their first token to their last. Raises Rejected."""
    source = script.encode()
    with _asked("split_with_parser", source) as result:
        spans = [
            (piece.stmt_location, piece.stmt_location + piece.stmt_len)
            for piece in (result.stmts[i].contents for i in range(result.n_stmts))
        ]
    words = [(start, end) for start, end, is_comment in tokens_of(script) if not is_comment]
    statements = []
    for first, last in spans:
        inside = [(start, end) for start, end in words if first <= start and end <= last]
        statements.append(source[inside[0][0] : inside[-1][1]].decode())
    return statements


def tree_of(script: str) -> bytes:
    """The parse trees of all statements, without positions. Raises Rejected."""
    with _asked("parse", script.encode()) as result:
        return _PLACE.sub(b"", result.parse_tree).replace(b"{,", b"{")
