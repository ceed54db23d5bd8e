"""Random SQL scripts full of what splitters get wrong: semicolons, quotes and comments where they mean nothing.

A script is first a list of tokens, so that one script can be written in several ways (`render`), then text, which
may be damaged (`damage`). Many scripts are valid; whoever uses them asks the oracle which.
"""

from __future__ import annotations

import random

_NASTY = [
    ";", "'", '"', "$$", "$a$", "$é$", "--", "/*", "*/", "\\", "\\'", "''", '""', "E'", "e'", "U&'", "(", ")", "[",
    "]", "\n", "\r", "\r\n", "\t", "\f", "\v", " ", "BEGIN ATOMIC ", " END ", " end;", "CASE ", "é", "日本", "\u00a0",
    "$", "$1", "1", ".", ":", "::", "+", "-", "*", "/", "<", "=", "|", "@", "a", "_", "x$", "\ufeff", "b'1'", "0x",
]  # fmt: skip
_INSIDE = [
    ";",
    "--",
    "/*",
    "*/",
    "$",
    "$b$",
    "(",
    ")",
    "begin atomic",
    "end;",
    "x",
    " ",
    "\n",
    "\r\n",
    "é",
    "\t",
    '"',
]
_PLAIN_NAMES = [
    "a",
    "t",
    "foo",
    "b1",
    "x$",
    "a$b$c",
    "é",
    "日本",
    "_u",
    "T",
    "Foo",
    "begin",
    "atomic",
    "e",
    "u",
    "n",
    "x",
]
_LABELS = ["end", "case", "begin", "atomic", "select", "create", "function", "e", "é", "x$y$"]
_OPERATORS = [
    "+",
    "-",
    "*",
    "/",
    "<",
    ">=",
    "||",
    "@>",
    "->",
    "->>",
    "#>>",
    "@@",
    "<->",
    "~*",
    "!~",
    "%",
    "^",
    "=",
    "&&",
]


class Generator:
    """Scripts from a seed; the same seed gives the same scripts."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    # -- tokens

    def one(self, *choices: str) -> str:
        return self.random.choice(choices)

    def inside(self, *extra: str) -> str:
        return "".join(self.random.choices([*_INSIDE, *extra], k=self.random.randrange(5)))

    def name(self) -> str:
        if self.random.random() < 0.8:
            return self.random.choice(_PLAIN_NAMES)
        return self.one("", "U&") + '"' + (self.inside("'", "\\\\").replace('"', '""') or "q") + '"'

    def string(self) -> str:
        """Any constant in quotes."""
        if self.random.random() < 0.8:
            return self.text()
        return self.one("B'01'", "X'1f'", "N'a;b'", "b''", "x'0'\n'1'")

    def text(self) -> str:
        """A constant that may stand where PostgreSQL wants a text and nothing else."""
        kind = self.random.randrange(9)
        gap = self.one("\n", " \n\t", "\r\n ", "\f\n", "  \r")
        if kind < 3:
            return "'" + self.inside("''", "\\") + "'"
        if kind == 3:
            return self.one("E", "e") + "'" + self.inside("''", "\\'", "\\\\", "\\n") + "'"
        if kind == 4:
            return "'" + self.inside("''") + f"'{gap}'" + self.inside("\\") + "'"
        if kind == 5:
            return "E'" + self.inside("\\'") + f"'{gap}'" + self.inside("\\'", "''", "\\;") + "'"
        if kind == 6:
            return self.one("U&'a;\\0061'", "u&''", "U&'!;' UESCAPE '!'", "U&'x'\n';'")
        tag = self.one("$$", "$a$", "$é$", "$_1$", "$body$")
        return tag + self.inside("'", "\\", "$a", "a$").replace(tag, "") + " " + tag

    def number(self) -> str:
        return self.one("1", "0", "1.5", ".5", "1.", "1e5", "1.5E-3", "0xFF", "1_000", "0b1", "$1", "$12")

    # -- expressions and statements, as lists of tokens

    def expression(self, depth: int = 2) -> list[str]:  # noqa: PLR0911 - one return for each kind
        kind = self.random.randrange(12 if depth else 6)
        if kind < 2:
            return [self.name()]
        if kind < 4:
            return [self.string()]
        if kind < 5:
            return [self.number()]
        if kind == 5:
            return [self.name(), ".", self.random.choice(_LABELS)]
        inner = self.expression(depth - 1)
        if kind == 6:
            return ["(", *inner, ")"]
        if kind == 7:
            return ["case", "when", *inner, "then", *self.expression(depth - 1), "else", "1", "end"]
        if kind == 8:
            return [self.name(), "(", *inner, ",", *self.expression(depth - 1), ")"]
        if kind == 9:
            return ["(", "array", "[", *inner, "]", ")", "[", "1", ":", "2", "]"]
        if kind == 10:
            return [*inner, "::", "text"]
        return [
            *inner,
            self.random.choice(_OPERATORS),
            *self.one("-", "", "@").split(),
            *self.expression(depth - 1),
        ]

    def select(self) -> list[str]:
        tokens = ["select", *self.expression()]
        if self.random.random() < 0.3:
            tokens += [*self.one("as", "").split(), self.random.choice(_LABELS)]
        if self.random.random() < 0.4:
            tokens += [",", *self.expression()]
        if self.random.random() < 0.4:
            tokens += [
                "from",
                self.one("begin atomic", "t", "a.b", "only t", "atomic begin"),
                "where",
                *self.expression(),
            ]
        return tokens

    def change(self) -> list[str]:
        return self.write() if self.random.random() < 0.9 else ["notify", self.name()]

    def write(self) -> list[str]:
        return self.random.choice(
            [
                [
                    "insert",
                    "into",
                    self.name(),
                    "values",
                    "(",
                    *self.expression(),
                    ",",
                    *self.expression(),
                    ")",
                ],
                ["update", self.name(), "set", "a", "=", *self.expression()],
                ["delete", "from", self.name(), "where", *self.expression()],
                self.select(),
            ]
        )

    def routine(self, depth: int = 1) -> list[str]:
        kind = self.one("function", "procedure")
        head = ["create", *self.one("", "or replace").split(), kind, self.name(), "("]
        head += self.one("", "a int", "begin atomic", "a int, b text").split(" ")
        head += [")"]
        if kind == "function":
            head += self.one("returns int", "returns begin", "returns table ( atomic int )", "").split()
        head += self.one("language sql", "", "cost 1", "set a to 'x;y'", "set begin = atomic").split(" ")
        way = self.random.randrange(4)
        if way == 0:
            return [*head, "as", self.text()]
        if way == 1 and kind == "function":
            return [*head, "return", *self.expression()]
        body: list[str] = []
        for _ in range(self.random.randrange(4)):
            body += [*self.body_statement(depth), ";"]
        return [*head, "begin", "atomic", *body, "end"]

    def body_statement(self, depth: int) -> list[str]:
        if self.random.random() < 0.1:
            return []
        if depth and self.random.random() < 0.15:
            return self.routine(depth - 1)
        if self.random.random() < 0.1:
            return self.rule()
        if self.random.random() < 0.2:
            return ["return", *self.expression()]
        return self.change()

    def rule(self) -> list[str]:
        actions: list[str] = []
        for _ in range(self.random.randrange(1, 4)):
            actions += [*self.one("", ";").split(), *self.change(), ";"]
        if self.random.random() < 0.5:
            actions = actions[:-1]
        return [
            "create",
            "rule",
            self.name(),
            "as",
            "on",
            "insert",
            "to",
            "t",
            "do",
            "also",
            "(",
            *actions,
            ")",
        ]

    def statement(self) -> list[str]:  # noqa: PLR0911 - one return for each kind
        kind = self.random.randrange(20)
        if kind < 5:
            return self.change()
        if kind < 9:
            return self.routine()
        if kind == 9:
            return self.rule()
        if kind == 10:
            return ["do", *self.one("", "language plpgsql", "language 'plpgsql'").split(), self.text()]
        if kind == 11:
            return [
                "create",
                "table",
                self.name(),
                "(",
                "a",
                "int",
                "default",
                *self.expression(),
                ",",
                "b",
                "text",
                ")",
            ]
        if kind == 12:
            return ["create", *self.one("", "or replace").split(), "view", self.name(), "as", *self.select()]
        if kind == 13:
            return ["prepare", self.name(), "as", *self.write()]
        if kind == 14:
            schema = ["create", "schema", self.name(), "create", "table", "t", "(", "a", "int", ")"]
            return [*schema, "create", "view", "v", "as", *self.select()]
        if kind == 15:
            return ["comment", "on", "table", self.name(), "is", self.text()]
        if kind == 16:
            return ["with", "x", "as", "(", *self.select(), ")", *self.select()]
        if kind == 17:
            return ["explain", *self.select()]
        return self.one(
            "begin", "commit", "end", "begin transaction", "rollback to savepoint a", "set a to begin", "abort",
            "start transaction read only", 'create extension "x;y"', "vacuum", "set standard_conforming_strings = on",
            "alter table t add column begin int", "create index concurrently on t ( a )", "copy t to stdout",
            "grant select on t to begin", "create type e as enum ( 'a;' , 'b' )", "drop function begin ( atomic )",
            "alter function begin ( ) set atomic to 1", "create table end$ ( )", "listen begin", "call begin ( )",
        ).split(" ")  # fmt: skip

    def script(self) -> list[str]:
        """The tokens of a script."""
        tokens: list[str] = []
        for _ in range(self.random.randrange(1, 6)):
            tokens += self.statement() if self.random.random() < 0.9 else []
            tokens += [";"]
        return tokens if self.random.random() < 0.6 else tokens[:-1]

    # -- text

    def comment(self) -> str:
        text = "".join(self.random.choices([*_INSIDE, "'", "\\"], k=self.random.randrange(4)))
        if self.random.random() < 0.5:
            return "--" + text.replace("\n", "").replace("\r", "") + self.one("\n", "\r", "\r\n")
        text = text.replace("/*", "").replace("*/", "")
        nested = self.one("", "/* ; ' /* */ */", "**", "/", "*") + " "
        return f"/*{text}{nested}*/"

    def blank(self) -> str:
        chance = self.random.random()
        if chance < 0.6:
            return " "
        if chance < 0.75:
            return self.one("\n", "\r\n", "\t", "\f", "\v", "  ", "\r", "\n\n")
        return self.one("", " ", "\n") + self.comment() + self.one("", " ", "\n")

    def render(self, tokens: list[str], *, glue: bool = False) -> str:
        """The tokens with blank space and comments between; `glue` leaves the blank out where it may matter."""
        parts: list[str] = [self.one("", self.blank())]
        for token in tokens:
            is_closed = token in {";", ",", "(", ")", "[", "]"} or parts[-1] in {";", ",", "(", ")", "[", "]"}
            if not (is_closed and self.random.random() < 0.5) and not (glue and self.random.random() < 0.2):
                parts.append(" " * parts[-1].endswith("-") + self.blank())  # "-" and "--x" would be "---x"
            is_word = token.isascii() and token.isalpha()
            parts.append(token.swapcase() if is_word and self.random.random() < 0.2 else token)
        return "".join(parts) + self.one("", self.blank(), "-- end;")

    def damage(self, text: str) -> str:
        """The text with one to three random changes."""
        for _ in range(self.random.randrange(1, 4)):
            place = self.random.randrange(len(text) + 1)
            length = self.random.choice([0, 0, 0, 1, 1, 2, 6])
            text = text[:place] + self.random.choice([*_NASTY, ""]) + text[place + length :]
        return text
