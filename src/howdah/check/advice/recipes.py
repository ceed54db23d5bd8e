"""Other ways to the same end. Whether one is right is not known here: each is run before it is shown. Pure.

The parts that are hard to cut out of a statement, such as an unnamed constraint within a column, are put together
from what the statement made, as the catalogue tells it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from howdah.check.advice.alter import ActionKind, AlterTable, read_alter_table
from howdah.check.advice.catalogue import Column, Constraint, Index, Made
from howdah.check.report import SafeStep
from howdah.check.wording import Wording
from howdah.pg.identifiers import MAX_NAME_BYTES, quote_identifier
from howdah.pg.lexer import Kind, read_tokens

_PLAIN = re.compile("[a-z_][a-z0-9_]*")
Steps = tuple[SafeStep, ...]
NONE: Steps = ()


@dataclass(frozen=True)
class Case:
    """A statement, and what it made."""

    text: str
    made: Made

    @property
    def wording(self) -> Wording:
        """Its words."""
        return Wording(self.text)


Recipe = Callable[[Case], Steps]


def alone(case: Case) -> Steps:
    """The statement in a migration of its own."""
    return (SafeStep(_closed(case.text)),)


def concurrent_index(case: Case) -> Steps:
    """CREATE INDEX CONCURRENTLY; for a partitioned table by each partition, for it cannot be had in one statement."""
    if any(each.is_partitioned for each in case.made.indexes):
        return _partitioned_index(case.made.indexes)
    if len(case.made.indexes) == 1 and case.wording.starts("CREATE"):
        return _with_word(case.wording, "INDEX")
    return tuple(_built(each.definition) for each in case.made.indexes)


def concurrent_reindex(case: Case) -> Steps:
    """REINDEX ... CONCURRENTLY."""
    for what in ("INDEX", "TABLE", "SCHEMA", "DATABASE"):
        if case.wording.has(what):
            return _with_word(case.wording, what)
    return NONE


def concurrent_refresh(case: Case) -> Steps:
    """REFRESH MATERIALIZED VIEW CONCURRENTLY."""
    return tuple(SafeStep(each.sql) for each in _with_word(case.wording, "VIEW"))


def alter_table(case: Case) -> Steps:
    """Constraints without a look at the rows first, indexes beside the writers, columns filled in batches."""
    made = case.made
    altered = read_alter_table(case.wording)
    plan = _Plan()
    if altered is not None:
        kept = _kept_actions(altered, made, plan)
        if kept:
            plan.first.append(f"{altered.head}\n  {_joined(kept)}")
    named = {(each.table, each.definition): each for each in made.constraints if each.kind == "n"}
    for column in made.required:
        constraint = named.get((column.table, f"NOT NULL {column.name}"))
        if constraint is not None:  # since 18 it is a constraint like others
            plan.constrain(constraint)
        else:
            plan.require(column, plan.first)
    for constraint in made.constraints:
        if constraint.kind != "n":
            plan.constrain(constraint)
    return plan.steps()


def attach_partition(case: Case) -> Steps:
    """A CHECK of what the bounds say, and of the default partition that they say it of no row, valid beforehand."""
    attached = case.made.attached
    outside = " AND ".join(f"NOT ({each.bounds})" for each in attached)
    checks = [(each.name, each.bounds) for each in attached if case.wording.has("ATTACH", "PARTITION")]
    first, validated, last = [], [], []
    for table, check in [*checks, *((each.name, outside) for each in case.made.narrowed)]:
        name = _name(table, "bounds")
        first.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check}) NOT VALID")
        validated.append(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        last.append(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return _files(first, validated, [case.text, *last]) if first else NONE


class _Plan:
    """The statements of each file, in the order of the files."""

    def __init__(self) -> None:
        self.first: list[str] = []  # changes the catalogue only
        self.fill: list[str] = []
        self.checked: list[str] = []  # constraints that the filling would have broken
        self.validate: list[str] = []
        self.build: list[SafeStep] = []
        self.last: list[str] = []

    def add_column(self, column: Column, head: str) -> None:
        """A column whose default is not the same in each row, filled afterwards."""
        self.first.append(f"{head} ADD COLUMN {column.name} {column.type}")
        self.first.append(f"{head} ALTER COLUMN {column.name} SET DEFAULT {column.default}")
        self.fill.append(
            f"-- again and again, outside a migration, until it writes no row\n"
            f"UPDATE {column.table} SET {column.name} = DEFAULT WHERE ctid = ANY (ARRAY(\n"
            f"  SELECT ctid FROM {column.table} WHERE {column.name} IS NULL LIMIT 10000))"
        )
        if column.is_required:
            self.require(column, self.checked)

    def require(self, column: Column, into: list[str]) -> None:
        """NOT NULL that is believed, because a valid constraint proves it."""
        table = column.table
        name = _name(f"{table}_{column.name}", "is_not_null")
        into.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column.name} IS NOT NULL) NOT VALID")
        self.validate.append(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        # In one ALTER TABLE the constraint would be dropped first, and prove nothing.
        self.last.append(f"ALTER TABLE {table} ALTER COLUMN {column.name} SET NOT NULL")
        self.last.append(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def constrain(self, constraint: Constraint) -> None:
        """A constraint that does not look at the rows while others wait."""
        table, name = constraint.table, constraint.name
        if constraint.kind in "cfn":
            self.first.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint.definition} NOT VALID")
            self.validate.append(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        elif constraint.kind in "up":
            self.build.append(_built(constraint.index_definition))
            kind = "UNIQUE" if constraint.kind == "u" else "PRIMARY KEY"
            self.last.append(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {constraint.index}"
                f"{_deferrable(constraint.definition)}"
            )

    def steps(self) -> Steps:
        """The files."""
        middle = [*_files(self.fill), *_files(self.checked), *_files(self.validate), *self.build]
        return (*_files(self.first), *middle, *_files(self.last))


def _kept_actions(altered: AlterTable, made: Made, plan: _Plan) -> list[str]:
    """The actions that stay as they are written, and columns without what makes them slow."""
    columns = {each.name: each for each in made.columns}
    kept = []
    for action in altered.actions:
        column = columns.get(_folded(action.column)) if action.kind is ActionKind.COLUMN else None
        if action.kind in (ActionKind.CONSTRAINT, ActionKind.NOT_NULL):
            continue
        if column is None or column.is_made:
            kept.append(action.text)
        elif _is_constant(column.default):
            default = f" DEFAULT {column.default}" if column.default else ""
            required = " NOT NULL" if column.is_required else ""
            kept.append(f"ADD COLUMN {column.name} {column.type}{default}{required}")
        else:
            plan.add_column(column, altered.head)
    return kept


def _folded(name: str) -> str:
    """A name as written, as the catalogue would quote it."""
    if name.startswith('"'):
        name = name[1:-1].replace('""', '"')
        return name if _PLAIN.fullmatch(name) else quote_identifier(name)
    return name.lower()


def _is_constant(default: str) -> bool:
    """Whether a default calls no function: its value is the same in each row."""
    return not any(kind is Kind.OPEN for kind, _, _ in read_tokens(default))


def _partitioned_index(indexes: Iterable[Index]) -> Steps:
    found = list(indexes)
    parents = [each.definition for each in found if each.is_partitioned]
    children = [_built(each.definition) for each in found if not each.is_partitioned]
    attached = [
        f"ALTER INDEX {each.parent} ATTACH PARTITION {each.name}" for each in reversed(found) if each.parent
    ]
    return (*_files(parents), *children, *_files(attached))


def _built(definition: str) -> SafeStep:
    """An index by its definition, built beside the writers."""
    return _with_word(Wording(definition), "INDEX")[0]


def _with_word(wording: Wording, behind: str) -> Steps:
    """The statement with CONCURRENTLY behind the first such word, outside a transaction."""
    place = wording.find(behind)
    if place is None or wording.has("CONCURRENTLY"):
        return NONE
    end = wording.top[place].end
    text = f"{wording.text[:end]} CONCURRENTLY{wording.text[end:]}"
    return (SafeStep(_closed(text), transactional=False),)


def _deferrable(definition: str) -> str:
    """What a definition says behind its columns of when it is checked."""
    place = definition.rfind(" DEFERRABLE")
    return definition[place:] if place >= 0 else ""


def _name(*parts: str) -> str:
    """A name of ours made of names as SQL takes them."""
    plain = "_".join(part.replace('"', "").rpartition(".")[2] for part in parts)
    cut = plain.encode()[-MAX_NAME_BYTES:].decode(errors="ignore")
    return cut if _PLAIN.fullmatch(cut) else quote_identifier(cut)


def _files(*files: list[str]) -> Steps:
    """A migration for each list of statements that has any."""
    return tuple(SafeStep("\n".join(_closed(each) for each in file)) for file in files if file)


def _joined(actions: Iterable[str]) -> str:
    return ",\n  ".join(actions)


def _closed(statement: str) -> str:
    return f"{statement};"


RECIPES: Mapping[str, Recipe] = {
    "lock-held-across-work": alone,
    "index-build-blocks-writes": concurrent_index,
    "reindex-blocks-writes": concurrent_reindex,
    "refresh-blocks-reads": concurrent_refresh,
    "constraint-builds-index": alter_table,
    "not-null-scan-blocks": alter_table,
    "check-scan-blocks": alter_table,
    "foreign-key-scan-blocks": alter_table,
    "added-column-rewrites-table": alter_table,
    "partition-scan-blocks": attach_partition,
}
