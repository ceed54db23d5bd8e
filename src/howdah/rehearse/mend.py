"""Statements that would take a difference between two schemas away: guesses, for a server to prove. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from howdah.pg.identifiers import quote_literal
from howdah.schema.compare import Difference
from howdah.schema.definition import COLUMN, marks_of, split_column, split_on, without_marks
from howdah.schema.snapshot import Snapshot

_TRIGGER_STATES = {
    "(disabled)": "DISABLE TRIGGER",
    "(replica)": "ENABLE REPLICA TRIGGER",
    "(always)": "ENABLE ALWAYS TRIGGER",
    "": "ENABLE TRIGGER",
}
_BY_OWN_NAME = frozenset(
    {
        "table",
        "view",
        "materialized view",
        "foreign table",
        "index",
        "sequence",
        "function",
        "procedure",
        "aggregate",
        "type",
        "domain",
        "schema",
        "extension",
        "statistics",
        "collation",
        "operator",
        "publication",
        "event trigger",
        "text search configuration",
        "text search dictionary",
    }
)
_WITH_TABLE = frozenset({"index", "trigger", "policy", "comment", "privileges", "statistics"})
_ON_TABLE = frozenset({"trigger", "policy", "rule"})
_ENUM_LABEL = re.compile(r"'(?:[^']|'')*'")
# How pg_identify_object() calls what COMMENT calls otherwise.
_COMMENT_WORDS = {
    "table column": "COLUMN",
    "view column": "COLUMN",
    "materialized view column": "COLUMN",
    "foreign table column": "COLUMN",
    "composite type column": "COLUMN",
    "composite type": "TYPE",
    "table constraint": "CONSTRAINT",
    "statistics object": "STATISTICS",
}
_GRANT_WORDS = {
    "routine": "ROUTINE",
    "table": "TABLE",
    "sequence": "SEQUENCE",
    "schema": "SCHEMA",
    "type": "TYPE",
}


@dataclass(frozen=True)
class Mender:
    """Knows the schema as it was before the `up`, and as it is after the `down`, of all that differs."""

    before: Snapshot
    after: Snapshot

    def mend(self, difference: Difference) -> tuple[str, ...]:
        """Statements that may take it away, to be run together; () where none comes to mind."""
        return tuple(self._statements(difference))

    def _statements(self, difference: Difference) -> Iterator[str]:
        if difference.before is None:
            yield from self._drop(difference.kind, difference.name, difference.after or "")
        elif difference.after is None:
            yield from self._create(difference.kind, difference.name, difference.before)
        else:
            yield from self._change(difference.kind, difference.name, difference.before, difference.after)

    def _drop(self, kind: str, name: str, definition: str) -> Iterator[str]:
        if kind in _BY_OWN_NAME:
            yield f"DROP {kind.upper()} {name};"
        elif kind in _ON_TABLE:
            yield f"DROP {kind.upper()} {name.replace(' on ', ' ON ')};"
        elif kind == "constraint":
            own, table = split_on(name)
            yield f"{_alter(self._owner_kind(table))} {table} DROP CONSTRAINT {own};"
        elif kind == "column":
            table, own = split_column(name)
            yield f"ALTER TABLE {table} DROP COLUMN {own};"
        elif kind == "cast":
            yield f"DROP CAST ({name.replace(' as ', ' AS ')});"
        elif kind == "foreign server":
            yield f"DROP SERVER {name};"
        elif kind == "comment":
            yield f"COMMENT ON {_comment_target(name)} IS NULL;"
        elif kind == "owner":
            yield f"ALTER {name_with_kind(name)} OWNER TO SESSION_USER;"
        elif kind == "privileges":
            yield from _take_away(name, definition)

    def _create(self, kind: str, name: str, definition: str) -> Iterator[str]:
        maker = _MAKERS.get(kind)
        if maker is not None:
            yield f"{maker(name, without_marks(definition))};"
            if kind == "trigger" and (state := marks_of(definition)):
                yield _trigger_state(name, state)
        elif kind == "constraint":
            own, table = split_on(name)
            yield f"{_alter(self._owner_kind(table))} {table} ADD CONSTRAINT {own} {without_marks(definition)};"
        elif kind == "column":
            table, own = split_column(name)
            yield f"ALTER TABLE {table} ADD COLUMN {own} {definition};"
        elif kind == "table":
            yield from self._create_table(name, definition)
        elif kind == "sequence":
            made, _, owner = definition.partition(" OWNED BY ")
            yield f"CREATE SEQUENCE {name} {made};"
            if owner:
                yield f"ALTER SEQUENCE {name} OWNED BY {owner};"

    def _create_table(self, name: str, definition: str) -> Iterator[str]:
        """The table and what belongs to it: that is not among the differences by itself."""
        parts = [each for each in self.before.objects if each.parent == name]
        columns = {each.name: each.definition for each in parts if each.kind == "column"}
        order = next((each.definition for each in parts if each.kind == "column order"), "")
        listed = [
            f"{own} {columns[f'{name}.{own}']}" for own in order.split(", ") if f"{name}.{own}" in columns
        ]
        unlogged = "UNLOGGED " if definition.startswith("UNLOGGED") else ""
        # The keys before what refers to them.
        constraints = sorted(
            (each for each in parts if each.kind == "constraint"),
            key=lambda each: "FOREIGN KEY" in each.definition,
        )
        for each in parts:
            if each.kind == "sequence":
                yield f"CREATE SEQUENCE {each.name} {each.definition.partition(' OWNED BY ')[0]};"
        yield f"CREATE {unlogged}TABLE {name} ({', '.join(listed)});"
        for each in parts:
            if each.kind == "sequence":
                yield f"ALTER SEQUENCE {each.name} OWNED BY {each.definition.partition(' OWNED BY ')[2]};"
        keys = {split_on(each.name)[0] for each in constraints}
        others = [
            each for each in parts if each.kind in _WITH_TABLE and each.name.rpartition(".")[2] not in keys
        ]
        for each in (*constraints, *others):
            yield from self._create(each.kind, each.name, each.definition)
        if "ROW LEVEL SECURITY" in definition:
            yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;"

    def _change(self, kind: str, name: str, before: str, after: str) -> Iterator[str]:
        if kind == "column":
            yield from self._change_column(name, before, after)
        elif kind == "trigger" and without_marks(before) == without_marks(after):
            yield _trigger_state(name, marks_of(before))
        elif kind == "constraint" and after == f"{before} NOT VALID":
            own, table = split_on(name)
            yield f"ALTER TABLE {table} VALIDATE CONSTRAINT {own};"
        elif kind in {"function", "procedure", "comment"}:
            yield from self._create(kind, name, before)
        elif kind == "owner":
            yield f"ALTER {name_with_kind(name)} OWNER TO {before};"
        elif kind == "privileges":
            yield from _take_away(name, after)
            yield f"{_give(name, before)};"
        elif kind == "table":
            yield from _change_table(name, before, after)
        elif kind == "type" and before.startswith("ENUM"):
            yield from _change_enum(name, before, after)
        elif kind == "sequence":
            made, _, owner = before.partition(" OWNED BY ")
            no_cycle = " NO CYCLE" if "CYCLE" in after and "CYCLE" not in before else ""
            yield f"ALTER SEQUENCE {name} {made}{no_cycle} OWNED BY {owner or 'NONE'};"
        elif kind == "extension":
            yield f"ALTER EXTENSION {name} SET {before};"
        else:
            yield from self._drop(kind, name, after)
            yield from self._create(kind, name, before)

    def _change_column(self, name: str, before: str, after: str) -> Iterator[str]:
        table, own = split_column(name)
        old, new = COLUMN.fullmatch(before), COLUMN.fullmatch(after)
        if old is None or new is None or old["generated"] != new["generated"]:
            yield f"ALTER TABLE {table} DROP COLUMN {own};"
            yield f"ALTER TABLE {table} ADD COLUMN {own} {before};"
            return
        start = f"ALTER TABLE {table} ALTER COLUMN {own}"
        if new["identity"] and not old["identity"]:
            yield f"{start} DROP IDENTITY;"
        other_type = (old["type"], old["collate"]) != (new["type"], new["collate"])
        if new["default"] and (old["default"] is None or other_type):
            yield f"{start} DROP DEFAULT;"
        if other_type:
            collate = old["collate"] or (' COLLATE "default"' if new["collate"] else "")
            yield f"{start} TYPE {old['type']}{collate} USING {own}::{old['type']};"
        if old["default"] and (other_type or old["default"] != new["default"]):
            yield f"{start} SET DEFAULT {old['default']};"
        if bool(old["required"]) != bool(new["required"]):
            yield f"{start} {'SET' if old['required'] else 'DROP'} NOT NULL;"
        if old["identity"] and old["identity"] != new["identity"]:
            verb = "SET GENERATED" if new["identity"] else "ADD GENERATED"
            yield f"{start} {verb} {old['identity']}{'' if new['identity'] else ' AS IDENTITY'};"
        for word in ("storage", "compression", "statistics"):
            if old[word] != new[word]:
                yield f"{start} SET {word.upper()} {old[word] or ('-1' if word == 'statistics' else 'DEFAULT')};"

    def _owner_kind(self, name: str) -> str:
        objects = (*self.before.objects, *self.after.objects)
        return "domain" if any(each.kind == "domain" and each.name == name for each in objects) else "table"


def name_with_kind(name: str) -> str:
    """An object and its kind, `table public.users`, as ALTER and GRANT want it."""
    kind, _, rest = name.partition(" ")
    if name.startswith(("materialized view ", "foreign table ")):
        more, _, rest = rest.partition(" ")
        kind = f"{kind} {more}"
    return f"{kind.upper()} {rest}"


def _trigger_state(name: str, state: str) -> str:
    own, table = split_on(name)
    return f"ALTER TABLE {table} {_TRIGGER_STATES.get(state, 'ENABLE TRIGGER')} {own};"


def _alter(kind: str) -> str:
    return f"ALTER {kind.upper()}"


def _comment_target(name: str) -> str:
    """An object as pg_identify_object() names it, `table column public.t.c`, as COMMENT ON wants it."""
    for words, wanted in _COMMENT_WORDS.items():
        if name.startswith(f"{words} "):
            return f"{wanted} {name[len(words) + 1 :].replace(' on ', ' ON ')}"
    if name.startswith("domain constraint "):
        return f"CONSTRAINT {name[18:].replace(' on ', ' ON DOMAIN ')}"
    words = next(
        (each for each in sorted(_BY_OWN_NAME | _ON_TABLE, key=len)[::-1] if name.startswith(f"{each} ")), ""
    )
    return f"{words.upper()} {name[len(words) + 1 :].replace(' on ', ' ON ')}" if words else name


def _grants(name: str, definition: str) -> Iterator[tuple[str, str, bool]]:
    """What is granted, to whom, and whether with the grant option: "SELECT ON TABLE public.t", "alice", False."""
    kind, _, target = name.partition(" ")
    column = ""
    if kind == "column":
        target, _, own = target.rpartition(".")
        kind, column = "table", f" ({own})"
    for each in definition.split(", "):
        may_pass_on = each.endswith(" WITH GRANT OPTION")
        role, _, privilege = each.removesuffix(" WITH GRANT OPTION").rpartition(" ")
        yield f"{privilege}{column} ON {_GRANT_WORDS.get(kind, kind.upper())} {target}", role, may_pass_on


def _give(name: str, definition: str) -> str:
    return ";\n".join(
        f"GRANT {what} TO {role}{' WITH GRANT OPTION' if may_pass_on else ''}"
        for what, role, may_pass_on in _grants(name, definition)
        if role
    )


def _take_away(name: str, definition: str) -> Iterator[str]:
    if definition == "none":
        usual = {"routine": "EXECUTE", "type": "USAGE"}.get(name.partition(" ")[0])
        if usual:
            yield f"GRANT {usual} ON {name_with_kind(name)} TO PUBLIC;"
        return
    for what, role, _ in _grants(name, definition):
        yield f"REVOKE {what} FROM {role};"


def _change_table(name: str, before: str, after: str) -> Iterator[str]:
    """What a table has beside its columns."""
    for words, on, off in (
        (" ROW LEVEL SECURITY", "ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"),
        ("FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"),
        ("UNLOGGED", "SET UNLOGGED", "SET LOGGED"),
    ):
        had, has = (words.strip() in _without_force(each, words) for each in (before, after))
        if had != has:
            yield f"ALTER TABLE {name} {on if had else off};"
    old, new = (re.search(r"REPLICA IDENTITY (NOTHING|FULL)", each) for each in (before, after))
    if (old and old[0]) != (new and new[0]):
        yield f"ALTER TABLE {name} {old[0] if old else 'REPLICA IDENTITY DEFAULT'};"
    old, new = (re.search(r"WITH \((.*?)\)", each) for each in (before, after))
    if (old and old[0]) != (new and new[0]):
        if new:
            yield f"ALTER TABLE {name} RESET ({', '.join(each.partition('=')[0] for each in new[1].split(', '))});"
        if old:
            yield f"ALTER TABLE {name} SET ({old[1]});"


def _without_force(definition: str, words: str) -> str:
    """So that one of the two is not taken for the other."""
    return definition if words.startswith("FORCE") else definition.replace("FORCE ROW LEVEL SECURITY", "")


def _change_enum(name: str, before: str, after: str) -> Iterator[str]:
    """Labels can be added, and never taken away."""
    old, new = _ENUM_LABEL.findall(before), _ENUM_LABEL.findall(after)
    if not set(new) <= set(old):
        return
    for place, label in enumerate(old):
        if label not in new:
            where = f" AFTER {old[place - 1]}" if place else f" BEFORE {new[0]}" if new else ""
            yield f"ALTER TYPE {name} ADD VALUE {label}{where};"


_MAKERS: dict[str, Callable[[str, str], str]] = {
    "index": lambda _, definition: definition,
    "trigger": lambda _, definition: definition,
    "rule": lambda _, definition: definition.rstrip(";"),
    "statistics": lambda _, definition: definition,
    "function": lambda _, definition: definition,
    "procedure": lambda _, definition: definition,
    "view": lambda name, definition: f"CREATE VIEW {name} {definition.rstrip(';')}",
    "materialized view": lambda name, definition: f"CREATE MATERIALIZED VIEW {name} {definition.rstrip(';')}",
    "type": lambda name, definition: (
        f"CREATE TYPE {name} {'' if definition.startswith('AS ') else 'AS '}{definition}"
    ),
    "domain": lambda name, definition: f"CREATE DOMAIN {name} AS {definition}",
    "schema": lambda name, _: f"CREATE SCHEMA {name}",
    "extension": lambda name, definition: f"CREATE EXTENSION {name} {definition}",
    "policy": lambda name, definition: f"CREATE POLICY {name.replace(' on ', ' ON ')} {definition}",
    "comment": lambda name, definition: f"COMMENT ON {_comment_target(name)} IS {quote_literal(definition)}",
    "owner": lambda name, definition: f"ALTER {name_with_kind(name)} OWNER TO {definition}",
    "privileges": _give,
}
