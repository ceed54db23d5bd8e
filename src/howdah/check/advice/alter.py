"""ALTER TABLE as its parts: the table, and the actions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from howdah.check.wording import Token, Wording


class ActionKind(Enum):
    """What an action is, as far as there is another way to do it."""

    CONSTRAINT = "adds a constraint"
    COLUMN = "adds a column"
    NOT_NULL = "sets not null"
    OTHER = "anything else"


@dataclass(frozen=True, slots=True)
class Action:
    """One action, without comments; `column` is the name of an added one as written, else ""."""

    text: str
    kind: ActionKind
    column: str = ""


@dataclass(frozen=True, slots=True)
class AlterTable:
    """The statement; `head` goes up to the first action: "ALTER TABLE ONLY users"."""

    head: str
    table: str
    actions: tuple[Action, ...]


def read_alter_table(wording: Wording) -> AlterTable | None:
    """The parts of an ALTER TABLE; None where it is another statement, or one without such actions."""
    tokens = wording.tokens
    if not wording.starts("ALTER", "TABLE"):
        return None
    place = 2
    place += 2 * (_words(tokens, place, 2) == ["IF", "EXISTS"])
    place += _words(tokens, place, 1) == ["ONLY"]
    name = place
    place += 1
    while _words(tokens, place, 1) == ["."]:
        place += 2
    place += _words(tokens, place, 1) == ["*"]
    actions = [_read_action(each) for each in _split(tokens[place:])]
    if not actions:
        return None
    return AlterTable(render(tokens[:place]), render(tokens[name:place]), tuple(actions))


def render(tokens: Sequence[Token]) -> str:
    """The tokens as text: one space where anything stood between two of them, comments too."""
    text = ""
    for previous, token in zip([None, *tokens], tokens, strict=False):
        text += " " if previous is not None and previous.end < token.begin else ""
        text += token.text
    return text


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens between the commas outside parentheses."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.word == "," and token.depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [each for each in parts if each]


def _read_action(tokens: Sequence[Token]) -> Action:
    text = render(tokens)
    top = [each.word for each in tokens if each.depth == 0]
    if top[0] == "ADD":
        following = top[3:] if top[1:2] == ["CONSTRAINT"] else top[1:]
        if following[:1] and following[0] in _CONSTRAINT_WORDS:
            is_new = not _has(top, "USING", "INDEX") and not _has(top, "NOT", "VALID")
            return Action(text, ActionKind.CONSTRAINT if is_new else ActionKind.OTHER)
        if following[:1] == ["EXCLUDE"]:  # there is no other way to have one
            return Action(text, ActionKind.OTHER)
        place = 1 + (top[1:2] == ["COLUMN"])
        place += 3 * (top[place : place + 3] == ["IF", "NOT", "EXISTS"])
        return Action(text, ActionKind.COLUMN, [each for each in tokens if each.depth == 0][place].text)
    if top[:1] == ["ALTER"] and top[-3:] == ["SET", "NOT", "NULL"]:
        return Action(text, ActionKind.NOT_NULL)
    return Action(text, ActionKind.OTHER)


_CONSTRAINT_WORDS = frozenset({"CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "NOT"})


def _has(words: Sequence[str], *wanted: str) -> bool:
    return any(tuple(words[i : i + len(wanted)]) == wanted for i in range(len(words)))


def _words(tokens: Sequence[Token], place: int, count: int) -> list[str]:
    return [each.word for each in tokens[place : place + count]]
