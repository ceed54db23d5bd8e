"""What keeps a statement from simply being sent inside a transaction of ours, by its words alone.

What only the catalogue knows is left to the server: REINDEX or CLUSTER of a partitioned table and a CALL or
DO that commits fail inside a transaction (SQLSTATE 25001, 2D000) and leave nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cached_property

from howdah.pg.lexer import Kind, leading_words, read_tokens


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
    STRING_SYNTAX = (
        "string-syntax"  # standard_conforming_strings off: what follows is read by other rules than ours
    )
    SESSION = "session"  # changes settings for what comes later in the session: SET, RESET, SET ROLE, DISCARD


NOTHING: frozenset[Feature] = frozenset()
_BEGIN = frozenset({Feature.BEGIN})
_MODES = frozenset({Feature.TRANSACTION_MODES})
_SAVEPOINT = frozenset({Feature.SAVEPOINT})
_TWO_PHASE = frozenset({Feature.TWO_PHASE})
_NO_TRANSACTION = frozenset({Feature.NO_TRANSACTION})
_SESSION = frozenset({Feature.SESSION})
_STRING_SYNTAX = frozenset({Feature.STRING_SYNTAX})
_TRUE = {"TRUE", "'TRUE'", "'T'", "'ON'", "'YES'", "'Y'", "'1'", "ON", "1"}
_FALSE = {"FALSE", "'FALSE'", "OFF", "'OFF'", "0", "'0'"}


class _Shape:
    """A statement's tokens in upper case: those outside parentheses, and all. They are read when they are asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _tokens(self) -> list[tuple[str, int]]:
        """The tokens, each with the depth of parentheses around it; a parenthesis is inside itself."""
        tokens = []
        depth = 0
        for kind, begin, end in read_tokens(self.text):
            if kind is not Kind.COMMENT:
                depth += kind is Kind.OPEN
                tokens.append((self.text[begin:end].upper(), depth))
                depth -= kind is Kind.CLOSE
        return tokens

    @cached_property
    def all(self) -> list[str]:
        return [word for word, _ in self._tokens]

    @cached_property
    def top(self) -> list[str]:
        return [word for word, depth in self._tokens if depth == 0]

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
    """The features of one statement."""
    _, words = leading_words(text, limit=2)
    rule = _RULES.get(words, _RULES.get(words[:1], NOTHING))
    return rule(_Shape(text)) if callable(rule) else rule


def _copy(shape: _Shape) -> frozenset[Feature]:
    if shape.has("FROM", "STDIN") or shape.has("FROM", "STDOUT"):  # the grammar takes either word either way
        return frozenset({Feature.COPY_FROM_STDIN})
    if shape.has("TO", "STDOUT") or shape.has("TO", "STDIN"):
        return frozenset({Feature.COPY_TO_STDOUT})
    return NOTHING


def _begin(shape: _Shape) -> frozenset[Feature]:
    modes = [word for word in shape.top[1:] if word not in {"WORK", "TRANSACTION"}]
    return _BEGIN | _MODES if modes else _BEGIN


def _finish(shape: _Shape) -> frozenset[Feature]:
    """COMMIT, END, ROLLBACK and ABORT in all their forms but with PREPARED."""
    rest = [word for word in shape.top[1:] if word not in {"WORK", "TRANSACTION"}]
    if rest[:1] == ["TO"]:
        return _SAVEPOINT
    feature = Feature.COMMIT if shape.top[0] in {"COMMIT", "END"} else Feature.ROLLBACK
    return frozenset({feature, Feature.CHAIN} if rest == ["AND", "CHAIN"] else {feature})


def _set(shape: _Shape) -> frozenset[Feature]:
    """SET, SET SESSION and SET LOCAL."""
    is_local = shape.top[1:2] == ["LOCAL"]
    if is_local and shape.top[2:3] == ["TRANSACTION"]:
        return _MODES
    turned_off = "STANDARD_CONFORMING_STRINGS" in shape.top[1:3] and shape.top[-1] in _FALSE
    return (NOTHING if is_local else _SESSION) | (_STRING_SYNTAX if turned_off else NOTHING)


def _select(shape: _Shape) -> frozenset[Feature]:
    """Look for set_config(name, value, is_local) with anything but a plain true at the end."""
    if "set_config" not in shape.text.lower():
        return NOTHING
    calls = [place for place, word in enumerate(shape.all) if word == "SET_CONFIG"]
    return (
        _SESSION if any(_last_argument(shape.all[place + 1 :]) not in _TRUE for place in calls) else NOTHING
    )


def _last_argument(words: list[str]) -> str:
    """The last token before the parenthesis that closes the one at the beginning."""
    depth = 0
    for place, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if depth == 0:
            return words[place - 1]
    return ""


def _index(shape: _Shape) -> frozenset[Feature]:
    """CREATE [UNIQUE] INDEX and DROP INDEX."""
    place = shape.top.index("INDEX") if "INDEX" in shape.top[:3] else len(shape.top)
    return _NO_TRANSACTION if shape.top[place + 1 : place + 2] == ["CONCURRENTLY"] else NOTHING


def _create_subscription(shape: _Shape) -> frozenset[Feature]:
    slotless = shape.option("CREATE_SLOT") in _FALSE or shape.option("CONNECT") in _FALSE
    return NOTHING if slotless else _NO_TRANSACTION


def _alter_database(shape: _Shape) -> frozenset[Feature]:
    return _NO_TRANSACTION if shape.has("SET", "TABLESPACE") else NOTHING


def _alter_table(shape: _Shape) -> frozenset[Feature]:
    return _NO_TRANSACTION if "DETACH" in shape.top and shape.top[-1] == "CONCURRENTLY" else NOTHING


def _alter_subscription(shape: _Shape) -> frozenset[Feature]:
    if shape.top[3:4] == ["SET"] and shape.top[4:5] != ["PUBLICATION"]:
        forbidden = any(shape.option(name) for name in ("FAILOVER", "TWO_PHASE"))
    elif shape.top[4:5] == ["PUBLICATION"]:  # SET, ADD, DROP, and REFRESH itself
        forbidden = shape.option("REFRESH") not in _FALSE
    else:
        forbidden = False
    return _NO_TRANSACTION if forbidden else NOTHING


def _reindex(shape: _Shape) -> frozenset[Feature]:
    many = shape.top[1:2] in (["SCHEMA"], ["DATABASE"], ["SYSTEM"])
    concurrently = "CONCURRENTLY" in shape.top or shape.option("CONCURRENTLY") not in {None, *_FALSE}
    return _NO_TRANSACTION if many or concurrently else NOTHING


def _cluster(shape: _Shape) -> frozenset[Feature]:
    return _NO_TRANSACTION if set(shape.top[1:]) <= {"VERBOSE"} else NOTHING


# By the first two words, else by the first.
_RULES: dict[tuple[str, ...], frozenset[Feature] | Callable[[_Shape], frozenset[Feature]]] = {
    ("ABORT",): _finish,
    ("ALTER", "DATABASE"): _alter_database,
    ("ALTER", "SUBSCRIPTION"): _alter_subscription,
    ("ALTER", "SYSTEM"): _NO_TRANSACTION,
    ("ALTER", "TABLE"): _alter_table,
    ("BEGIN",): _begin,
    ("CLUSTER",): _cluster,
    ("COMMIT",): _finish,
    ("COMMIT", "PREPARED"): _TWO_PHASE | _NO_TRANSACTION,
    ("COPY",): _copy,
    ("CREATE", "DATABASE"): _NO_TRANSACTION,
    ("CREATE", "INDEX"): _index,
    ("CREATE", "SUBSCRIPTION"): _create_subscription,
    ("CREATE", "TABLESPACE"): _NO_TRANSACTION,
    ("CREATE", "UNIQUE"): _index,
    ("DISCARD",): _SESSION,
    ("DISCARD", "ALL"): _SESSION | _NO_TRANSACTION,
    ("DROP", "DATABASE"): _NO_TRANSACTION,
    ("DROP", "INDEX"): _index,
    ("DROP", "SUBSCRIPTION"): _NO_TRANSACTION,
    ("DROP", "TABLESPACE"): _NO_TRANSACTION,
    ("END",): _finish,
    ("PREPARE", "TRANSACTION"): _TWO_PHASE,
    ("REINDEX",): _reindex,
    ("RELEASE",): _SAVEPOINT,
    ("RESET",): _SESSION,
    ("ROLLBACK",): _finish,
    ("ROLLBACK", "PREPARED"): _TWO_PHASE | _NO_TRANSACTION,
    ("SAVEPOINT",): _SAVEPOINT,
    ("SELECT",): _select,
    ("SET",): _set,
    ("SET", "CONSTRAINTS"): NOTHING,
    ("SET", "TRANSACTION"): _MODES,
    ("START", "TRANSACTION"): _begin,
    ("VACUUM",): _NO_TRANSACTION,
}
