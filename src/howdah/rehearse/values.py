"""Values for rows that nobody wrote: by a column's type, and what its checks say. Pure.

Numbers are high and odd, so that they are not in the way of rows that migrations insert by number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from howdah.pg.identifiers import quote_literal
from howdah.rehearse.data import Column

# What stands between quotes, or is a number, in a check, a default or the bound of a partition.
_LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.])(-?\d+(?:\.\d+)?)(?![\w.])")
_MOST_LITERALS = 8
_LENGTH = re.compile(r"(?<![\w.'])\d+(?![\w.'])")
_LONGEST = 10_000

_PATTERNS = {
    "bool": ("true", "false", "true"),
    "int2": ("32{:03d}",),
    "int4": ("19000{:05d}",),
    "int8": ("90000000{:08d}",),
    "float4": ("19{:04d}.5",),
    "float8": ("19{:04d}.5",),
    "money": ("19{:04d}",),
    "oid": ("19000{:05d}",),
    "uuid": ("40da4000-0000-4000-8000-0000{:08d}",),
    "date": ("2001-02-{:02d}",),
    "timestamp": ("2001-02-{:02d} 04:05:06",),
    "timestamptz": ("2001-02-{:02d} 04:05:06+00",),
    "time": ("04:05:{:02d}",),
    "timetz": ("04:05:{:02d}+00",),
    "interval": ("{} minutes",),
    "json": ('{{"howdah": {}}}',),
    "jsonb": ('{{"howdah": {}}}',),
    "bytea": ("\\x40da{:02d}",),
    "inet": ("192.0.2.{}",),
    "cidr": ("192.0.2.{}/32",),
    "macaddr": ("02:00:00:00:00:{:02d}",),
    "macaddr8": ("02:00:00:00:00:00:00:{:02d}",),
    "point": ("({},19)",),
    "line": ("{{1,{},1}}",),
    "lseg": ("[({},1),(2,2)]",),
    "box": ("({},3),(1,1)",),
    "path": ("[({},1),(2,2)]",),
    "polygon": ("(({},1),(2,2),(3,1))",),
    "circle": ("<({},1),2>",),
    "tsvector": ("howdah {}",),
    "tsquery": ("howdah & {}",),
    "xml": ("<howdah>{}</howdah>",),
    "pg_lsn": ("0/40DA{:02d}",),
    "jsonpath": ("$.howdah{}",),
    "hstore": ("howdah=>{}",),
    "ltree": ("howdah.{}",),
    "geometry": ("POINT({} 19)",),
    "geography": ("POINT({} 19)",),
    "int4range": ("[19000{:05d},19000{:05d}]",),
    "int8range": ("[19000{:05d},19000{:05d}]",),
    "numrange": ("[19{:04d},19{:04d}]",),
    "daterange": ("[2001-02-{:02d},2001-02-{:02d}]",),
    "tsrange": ("[2001-02-{:02d},2001-02-{:02d} 12:00]",),
    "tstzrange": ("[2001-02-{:02d},2001-02-{:02d} 12:00+00]",),
}
_SMALL_NUMBERS = ("1", "2", "3", "0", "-1", "0.5")
_TEXTS = ("howdah{}@example.com", "https://howdah{}.example.com/", "#40da4{}", "{}", "H{}", "2001-02-0{}")


def candidates(column: Column, number: int, *, rules: Sequence[str] = ()) -> Iterator[str]:
    """Expressions for the column in row `number` (from 1), the likeliest first; `rules` it must obey, as SQL.

    What ends them is NULL, where that may be, or nothing.
    """
    seen: set[str] = set()
    for each in _all(column, number, rules):
        if each not in seen:
            seen.add(each)
            yield each


def _all(column: Column, number: int, rules: Sequence[str]) -> Iterator[str]:
    literals = [each for rule in (*rules, column.checks) for each in _literals(rule)][:_MOST_LITERALS]
    usual = None if column.element else _usual(column, number)
    if column.element:
        yield f"ARRAY[{_element(column, number)}]::{column.type}"
        yield f"'{{}}'::{column.type}"
    if literals and (column.category in "SN" or column.checks):
        # Each row begins with another one.
        turned = [*literals[number - 1 :], *literals[: number - 1]]
        first = [_cast(each, column) for each in turned]
        if any(" ANY " in rule or " = " in rule for rule in (*rules, column.checks)):
            yield from first
            first = []
    else:
        first = [_cast(each, column) for each in literals]
    if usual is not None:
        yield _cast(usual, column)
    if column.category == "S" or column.base == "bytea":
        yield from _of_length(column, (*rules, column.checks), number)
    yield from first
    if column.default is not None and "nextval(" not in column.default and not column.identity:
        yield "DEFAULT"
    if column.category == "N":
        yield from (_cast(each, column) for each in _SMALL_NUMBERS[number - 1 :])
    if column.category == "S":
        yield from (_cast(each.format(number), column) for each in _TEXTS)
    if not column.is_required:
        yield "NULL"


def _usual(column: Column, number: int) -> str | None:
    """The value where nothing is known but the type; None: it is not known."""
    width = max(column.modifier, 1)
    found = None
    if column.labels:
        found = column.labels[(number - 1) % len(column.labels)]
    elif column.base == "numeric":
        found = _numeric(column.modifier, number)
    elif column.base in {"bit", "varbit"}:
        found = format(number, "b").zfill(width)[-width:]
    elif column.base in {"vector", "halfvec"}:
        found = f"[{','.join([f'0.{number}'] * width)}]"
    elif pattern := _PATTERNS.get(column.base):
        found = pattern[(number - 1) % len(pattern)].format(number * 2 + 1, number * 2 + 1)
    elif column.category == "S" or column.base in {"citext", "name"}:
        found = _text(column, number)
    return found


def _numeric(modifier: int, number: int) -> str:
    """As many digits as fit: the modifier holds precision and scale."""
    if modifier < 0:
        return f"19{number:04d}.5"
    precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    whole = precision - scale
    return str(9 * 10 ** (whole - 1) + number) if 1 <= whole <= 18 else f"0.{'0' * max(-whole, 0)}{number}"


def _text(column: Column, number: int) -> str:
    text = f"howdah {number}"
    width = column.modifier - 4 if column.modifier > 4 else len(text)
    return text if width >= len(text) else f"howda{number}"[-width:]


def _element(column: Column, number: int) -> str:
    """What stands in an array of it."""
    base = column.base.removeprefix("_")
    inner = replace(column, base=base, category="S" if base in {"text", "varchar", "bpchar"} else "")
    value = _usual(inner, number)
    return "NULL" if value is None else quote_literal(value)


def _of_length(column: Column, rules: Sequence[str], number: int) -> Iterator[str]:
    """Values of a length that a rule speaks of."""
    digit = str(number)
    for rule in rules:
        for length in map(int, _LENGTH.findall(rule)) if "length(" in rule else ():
            if 0 < length <= _LONGEST:
                yield (
                    f"'\\x{f'4{digit}' * length}'::bytea"
                    if column.base == "bytea"
                    else f"'{digit * length}'::{column.type}"
                )


def _literals(rule: str) -> list[str]:
    return [(text or figure).replace("''", "'") for text, figure in _LITERAL.findall(rule) if text or figure]


def _cast(value: str, column: Column) -> str:
    return f"{quote_literal(value)}::{column.type}"
