"""What keeps a statement from simply being sent inside a transaction of ours, by its words alone.

What only the catalogue knows is left to the server: REINDEX or CLUSTER of a partitioned table and a CALL or
DO that commits fail inside a transaction (SQLSTATE 25001, 2D000) and leave nothing behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from howdah.pg.lexer import Kind, read_tokens


class Feature(Enum):
    """One way in which a statement is not an ordinary one."""

    COPY_FROM_STDIN = "copy-from-stdin"  # rows of the client follow; a script has no way to hold them
    COPY_TO_STDOUT = "copy-to-stdout"
    BEGIN = "begin"  # BEGIN, START TRANSACTION
    COMMIT = "commit"  # COMMIT, END
    ROLLBACK = "rollback"  # ROLLBACK, ABORT
    CHAIN = "chain"  # ... AND CHAIN: the next transaction begins at once
    TRANSACTION_MODES = "transaction-modes"  # isolation level, READ ONLY, DEFERRABLE of the transaction
    SAVEPOINT = "savepoint"  # SAVEPOINT, RELEASE, ROLLBACK TO
    TWO_PHASE = "two-phase"  # PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED
    NO_TRANSACTION = "no-transaction"  # PostgreSQL forbids it inside a transaction block
    SESSION = "session"  # changes settings for what comes later in the session: SET, RESET, SET ROLE, DISCARD


NOTHING: frozenset[Feature] = frozenset()
_NO_TRANSACTION = frozenset({Feature.NO_TRANSACTION})
_SESSION = frozenset({Feature.SESSION})
_TRUE = {"TRUE", "'TRUE'", "'T'", "'ON'", "'YES'", "'Y'", "'1'", "ON", "1"}
_FALSE = {"FALSE", "'FALSE'", "OFF", "'OFF'", "0", "'0'"}


class _Shape:
    """A statement's tokens in upper case: those outside parentheses, and all."""

    def __init__(self, text: str) -> None:
        self.top: list[str] = []
        self.all: list[str] = []
        depth = 0
        for token in read_tokens(text):
            if token.kind is Kind.COMMENT:
                continue
            word = text[token.start : token.end].upper()
            self.all.append(word)
            depth -= token.kind is Kind.CLOSE
            if depth == 0 and token.kind not in (Kind.OPEN, Kind.CLOSE):
                self.top.append(word)
            depth += token.kind is Kind.OPEN

    def begins(self, *words: str) -> bool:
        return tuple(self.top[: len(words)]) == words

    def has(self, *words: str) -> bool:
        """Whether the words stand side by side outside parentheses."""
        return any(tuple(self.top[i : i + len(words)]) == words for i in range(len(self.top)))

    def option(self, name: str) -> str | None:
        """The value of an option in parentheses, TRUE where none is written; None without the option."""
        if name not in self.all:
            return None
        following = self.all[self.all.index(name) + 1 :]
        value = following[1] if following[:1] == ["="] and len(following) > 1 else (*following, ")")[0]
        return "TRUE" if value in {",", ")"} else value


def features_of(text: str) -> frozenset[Feature]:
    """The features of one statement, given as its text without comments in front."""
    first = _FIRST_WORD.match(text)
    judge = _JUDGES.get(first.group().upper()) if first else None
    return judge(_Shape(text)) if judge else NOTHING


_FIRST_WORD = re.compile(r"[A-Za-z]+")


def _copy(shape: _Shape) -> frozenset[Feature]:
    if shape.has("FROM", "STDIN") or shape.has("FROM", "STDOUT"):  # the grammar takes either word either way
        return frozenset({Feature.COPY_FROM_STDIN})
    if shape.has("TO", "STDOUT") or shape.has("TO", "STDIN"):
        return frozenset({Feature.COPY_TO_STDOUT})
    return NOTHING


def _begin(shape: _Shape) -> frozenset[Feature]:
    modes = [word for word in shape.top[1:] if word not in {"WORK", "TRANSACTION"}]
    return frozenset({Feature.BEGIN, Feature.TRANSACTION_MODES} if modes else {Feature.BEGIN})


def _start(shape: _Shape) -> frozenset[Feature]:
    return _begin(shape) if shape.begins("START", "TRANSACTION") else NOTHING


def _finish(shape: _Shape) -> frozenset[Feature]:
    """COMMIT, END, ROLLBACK and ABORT in all their forms."""
    rest = [word for word in shape.top[1:] if word not in {"WORK", "TRANSACTION"}]
    if rest[:1] == ["PREPARED"]:
        return frozenset({Feature.TWO_PHASE, Feature.NO_TRANSACTION})
    if rest[:1] == ["TO"]:
        return frozenset({Feature.SAVEPOINT})
    feature = Feature.COMMIT if shape.top[0] in {"COMMIT", "END"} else Feature.ROLLBACK
    return frozenset({feature, Feature.CHAIN} if rest == ["AND", "CHAIN"] else {feature})


def _savepoint(shape: _Shape) -> frozenset[Feature]:
    return frozenset({Feature.SAVEPOINT})


def _prepare(shape: _Shape) -> frozenset[Feature]:
    return frozenset({Feature.TWO_PHASE}) if shape.begins("PREPARE", "TRANSACTION") else NOTHING


def _set(shape: _Shape) -> frozenset[Feature]:
    if shape.begins("SET", "TRANSACTION") or shape.begins("SET", "LOCAL", "TRANSACTION"):
        return frozenset({Feature.TRANSACTION_MODES})
    if shape.begins("SET", "LOCAL") or shape.begins("SET", "CONSTRAINTS"):
        return NOTHING
    return _SESSION


def _reset(shape: _Shape) -> frozenset[Feature]:
    return _SESSION


def _discard(shape: _Shape) -> frozenset[Feature]:
    return _SESSION | _NO_TRANSACTION if shape.begins("DISCARD", "ALL") else _SESSION


def _select(shape: _Shape) -> frozenset[Feature]:
    """Look for set_config(name, value, is_local) with anything but a plain true at the end."""
    for index, word in enumerate(shape.all[:-1]):
        if word == "SET_CONFIG" and shape.all[index + 1] == "(":
            depth = 0
            for place in range(index + 1, len(shape.all)):
                depth += (shape.all[place] == "(") - (shape.all[place] == ")")
                if depth == 0 and shape.all[place - 1] not in _TRUE:
                    return _SESSION
                if depth == 0:
                    break
    return NOTHING


def _always(shape: _Shape) -> frozenset[Feature]:
    return _NO_TRANSACTION


def _create(shape: _Shape) -> frozenset[Feature]:
    if shape.top[1:2] in (["DATABASE"], ["TABLESPACE"]):
        return _NO_TRANSACTION
    if shape.begins("CREATE", "INDEX", "CONCURRENTLY") or shape.begins(
        "CREATE", "UNIQUE", "INDEX", "CONCURRENTLY"
    ):
        return _NO_TRANSACTION
    if shape.begins("CREATE", "SUBSCRIPTION"):
        slotless = shape.option("CREATE_SLOT") in _FALSE or shape.option("CONNECT") in _FALSE
        return NOTHING if slotless else _NO_TRANSACTION
    return NOTHING


def _drop(shape: _Shape) -> frozenset[Feature]:
    if shape.top[1:2] in (["DATABASE"], ["TABLESPACE"], ["SUBSCRIPTION"]):
        return _NO_TRANSACTION
    return _NO_TRANSACTION if shape.begins("DROP", "INDEX", "CONCURRENTLY") else NOTHING


def _alter(shape: _Shape) -> frozenset[Feature]:
    kind = shape.top[1:2]
    forbidden = (
        kind == ["SYSTEM"]
        or (kind == ["DATABASE"] and shape.has("SET", "TABLESPACE"))
        or (kind == ["TABLE"] and "DETACH" in shape.top and shape.top[-1] == "CONCURRENTLY")
        or (kind == ["SUBSCRIPTION"] and _alters_publications(shape))
    )
    return _NO_TRANSACTION if forbidden else NOTHING


def _alters_publications(shape: _Shape) -> bool:
    if shape.top[3:4] == ["SET"] and shape.top[4:5] != ["PUBLICATION"]:
        return any(shape.option(name) for name in ("FAILOVER", "TWO_PHASE"))
    refreshed = shape.top[4:5] == ["PUBLICATION"] and shape.option("REFRESH") not in _FALSE
    return shape.has("REFRESH", "PUBLICATION") or refreshed


def _reindex(shape: _Shape) -> frozenset[Feature]:
    if shape.top[1:2] and shape.top[1] in {"SCHEMA", "DATABASE", "SYSTEM"}:
        return _NO_TRANSACTION
    concurrently = "CONCURRENTLY" in shape.top or shape.option("CONCURRENTLY") not in {None, *_FALSE}
    return _NO_TRANSACTION if concurrently else NOTHING


def _cluster(shape: _Shape) -> frozenset[Feature]:
    return _NO_TRANSACTION if set(shape.top[1:]) <= {"VERBOSE"} else NOTHING


_JUDGES: dict[str, Callable[[_Shape], frozenset[Feature]]] = {
    "ABORT": _finish,
    "ALTER": _alter,
    "BEGIN": _begin,
    "CLUSTER": _cluster,
    "COMMIT": _finish,
    "COPY": _copy,
    "CREATE": _create,
    "DISCARD": _discard,
    "DROP": _drop,
    "END": _finish,
    "PREPARE": _prepare,
    "REINDEX": _reindex,
    "RELEASE": _savepoint,
    "RESET": _reset,
    "ROLLBACK": _finish,
    "SAVEPOINT": _savepoint,
    "SELECT": _select,
    "SET": _set,
    "START": _start,
    "VACUUM": _always,
}
