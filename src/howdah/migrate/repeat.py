"""Statements that run outside a transaction and may be run again: what each is about, told by its words.

Whether one that a lost run was at took effect, the server is asked; this says what to ask it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from howdah.pg.lexer import Kind, read_tokens
from howdah.pg.statements import Statement


class Repeat(Enum):
    """A statement that may be run again, by what shows whether it took effect."""

    CREATE_INDEX = "create index concurrently"
    DROP_INDEX = "drop index concurrently"
    REINDEX = "reindex concurrently"
    DETACH = "detach partition concurrently"
    HARMLESS = "the same again, however often it runs"
    SESSION = "a setting of the session"


@dataclass(frozen=True, slots=True)
class Repeatable:
    """What may be run again.

    Attributes:
        name: the index that it makes, drops or rebuilds, or the partition that it detaches, as the statement writes it;
            empty: there is none, or it is not one thing (REINDEX SCHEMA).
        table: the table of an index that it makes, or the parent of a partition; of REINDEX TABLE the table.
        if_exists: it says IF EXISTS, or IF NOT EXISTS: what is there already is no error.
        rest: of CREATE INDEX what follows the table's name; `is_unique` likewise.
    """

    repeat: Repeat
    name: str = ""
    table: str = ""
    if_exists: bool = False
    is_unique: bool = False
    rest: str = ""


class _Reader:
    """The tokens of one statement, taken from the left."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = [each for each in read_tokens(text) if each[0] is not Kind.COMMENT]
        self._at = 0

    @property
    def word(self) -> str:
        """The next token in upper case; a quoted name as it stands; empty at the end."""
        if self._at == len(self._tokens):
            return ""
        kind, begin, end = self._tokens[self._at]
        shown = self.text[begin:end]
        return shown.upper() if kind is Kind.WORD else shown

    @property
    def rest(self) -> str:
        """What has not been taken."""
        return self.text[self._tokens[self._at][1] :] if self._at < len(self._tokens) else ""

    def take(self, *words: str) -> bool:
        """Take these words if they come next."""
        start = self._at
        for word in words:
            if self.word != word:
                self._at = start
                return False
            self._at += 1
        return True

    def name(self) -> str:
        """Take a name, perhaps qualified."""
        parts = [self._one()]
        while self.take("."):
            parts.append(self._one())
        return ".".join(parts)

    def _one(self) -> str:
        if self._at == len(self._tokens) or self._tokens[self._at][0] not in (Kind.WORD, Kind.QUOTED):
            return ""
        _, begin, end = self._tokens[self._at]
        self._at += 1
        return self.text[begin:end]

    def skip_parentheses(self) -> str:
        """Take what stands in parentheses, in upper case."""
        if not self.take("("):
            return ""
        depth, words = 1, []
        while self._at < len(self._tokens) and depth:
            depth += {"(": 1, ")": -1}.get(self.word, 0)
            words.append(self.word)
            self._at += 1
        return " ".join(words)


def read_repeatable(statement: Statement) -> Repeatable | None:
    """What a statement is, if it may be run again; None: it may not."""
    read = _READERS.get(statement.words[0]) if statement.words else None
    return read(_Reader(statement.text)) if read else None


def makes_index(statement: Statement) -> Repeatable | None:
    """The index that a statement makes, whether concurrently or not; None: none, or one without a name."""
    if statement.words[:2] not in (("CREATE", "INDEX"), ("CREATE", "UNIQUE")):
        return None
    made = _index_made(_Reader(statement.text))
    return made[0] if made else None


def waits_concurrently(statement: Statement) -> bool:
    """Whether it waits long for transactions of others while nobody waits for it."""
    found = read_repeatable(statement)
    return found is not None and found.repeat in {
        Repeat.CREATE_INDEX,
        Repeat.DROP_INDEX,
        Repeat.REINDEX,
        Repeat.DETACH,
    }


def _create_index(reader: _Reader) -> Repeatable | None:
    made = _index_made(reader)
    return made[0] if made and made[1] else None


def _index_made(reader: _Reader) -> tuple[Repeatable, bool] | None:
    """CREATE [UNIQUE] INDEX [CONCURRENTLY] [[IF NOT EXISTS] name] ON [ONLY] table ...; whether concurrently."""
    reader.take("CREATE")
    is_unique = reader.take("UNIQUE")
    if not reader.take("INDEX"):
        return None
    is_concurrent = reader.take("CONCURRENTLY")
    if_not_exists = reader.take("IF", "NOT", "EXISTS")
    if reader.word == "ON":  # the server makes up a name: run again, it would make a second one
        return None
    name = reader.name()
    if not reader.take("ON"):
        return None
    reader.take("ONLY")
    table = reader.name()
    made = Repeatable(
        Repeat.CREATE_INDEX, name, table, if_exists=if_not_exists, is_unique=is_unique, rest=reader.rest
    )
    return (made, is_concurrent) if name and table else None


def _drop_index(reader: _Reader) -> Repeatable | None:
    if not reader.take("DROP", "INDEX", "CONCURRENTLY"):
        return None
    if_exists = reader.take("IF", "EXISTS")
    name = reader.name()
    return Repeatable(Repeat.DROP_INDEX, name, if_exists=if_exists) if name else None


def _reindex(reader: _Reader) -> Repeatable | None:
    reader.take("REINDEX")
    options = reader.skip_parentheses()
    kind = next((each for each in ("INDEX", "TABLE", "SCHEMA", "DATABASE") if reader.take(each)), "")
    if not kind or not (reader.take("CONCURRENTLY") or "CONCURRENTLY" in options):
        return None
    name = reader.name()
    return Repeatable(
        Repeat.REINDEX,
        name=name if kind == "INDEX" else "",
        table=name if kind == "TABLE" else "",
    )


def _alter(reader: _Reader) -> Repeatable | None:
    if reader.take("ALTER", "TYPE"):
        reader.name()
        return Repeatable(Repeat.HARMLESS) if reader.take("ADD", "VALUE", "IF", "NOT", "EXISTS") else None
    if not reader.take("ALTER", "TABLE"):
        return None
    reader.take("IF", "EXISTS")
    reader.take("ONLY")
    table = reader.name()
    if reader.take("VALIDATE", "CONSTRAINT"):
        reader.name()
        return Repeatable(Repeat.HARMLESS) if not reader.rest else None
    if reader.take("DETACH", "PARTITION"):
        partition = reader.name()
        if reader.take("CONCURRENTLY") or reader.take("FINALIZE"):
            return Repeatable(Repeat.DETACH, partition, table)
    return None


def _harmless(_: _Reader) -> Repeatable:
    return Repeatable(Repeat.HARMLESS)


def _session(reader: _Reader) -> Repeatable | None:
    is_reset = reader.take("RESET")
    reader.take("SET")
    is_local = reader.word in {"LOCAL", "TRANSACTION", "CONSTRAINTS"}
    return Repeatable(Repeat.SESSION) if is_reset or not is_local else None


_READERS = {
    "CREATE": _create_index,
    "DROP": _drop_index,
    "REINDEX": _reindex,
    "ALTER": _alter,
    "VACUUM": _harmless,
    "ANALYZE": _harmless,
    "REFRESH": _harmless,
    "SET": _session,
    "RESET": _session,
}
