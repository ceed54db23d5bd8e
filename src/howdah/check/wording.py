"""The words of a statement, for telling statements of one effect apart. Pure.

What a statement does is observed; its words only say which name the finding goes by and where another word belongs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from howdah.errors import ScriptError
from howdah.pg.lexer import Kind, read_tokens


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a statement.

    Attributes:
        text: as written.
        word: the keyword or unquoted name in upper case, a sign as it is; "" of strings and quoted identifiers.
        depth: parentheses around it; one is inside itself.
        begin: the place of its first character.
    """

    text: str
    word: str
    depth: int
    begin: int

    @property
    def end(self) -> int:
        """The place behind its last character."""
        return self.begin + len(self.text)


@dataclass(frozen=True)
class Wording:
    """The tokens of one statement, comments aside."""

    text: str

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """All of them; () where the text cannot be read, which no statement that ran is."""
        found = []
        depth = 0
        try:
            for kind, begin, end in read_tokens(self.text):
                if kind is Kind.COMMENT:
                    continue
                depth += kind is Kind.OPEN
                text = self.text[begin:end]
                word = "" if kind in (Kind.STRING, Kind.QUOTED) else text.upper()
                found.append(Token(text, word, depth, begin))
                depth -= kind is Kind.CLOSE
        except ScriptError:
            return ()
        return tuple(found)

    @cached_property
    def top(self) -> tuple[Token, ...]:
        """Those outside parentheses."""
        return tuple(each for each in self.tokens if each.depth == 0)

    def starts(self, *words: str) -> bool:
        """Whether these are its first words."""
        return tuple(each.word for each in self.top[: len(words)]) == words

    def has(self, *words: str) -> bool:
        """Whether the words stand side by side outside parentheses."""
        return self.find(*words) is not None

    def find(self, *words: str) -> int | None:
        """The place in `top` of the first of these words, side by side."""
        spoken = tuple(each.word for each in self.top)
        places = range(len(spoken) - len(words) + 1)
        return next((i for i in places if spoken[i : i + len(words)] == words), None)
