"""Put rows into the tables of a throwaway database, as far as they can be invented, and take them out again."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from howdah.rehearse.data import Column, Table, query
from howdah.rehearse.values import candidates
from howdah.schema.snapshot import as_array

_log = logging.getLogger(__name__)
_ROWS = 3
# The last row has NULL wherever that may be: what makes a column NOT NULL is to meet one.
_SPARSE_ROW = _ROWS
_MOST_TRIES = 40
_BAD_VALUE = "22"


@dataclass(frozen=True, slots=True)
class _Rule:
    """A constraint of a table: kind as pg_constraint has it, the numbers of its columns, what it refers to."""

    name: str
    kind: str
    columns: tuple[int, ...]
    refers_to: int
    parent: str
    parent_columns: tuple[str, ...]
    text: str


@dataclass
class _Seeded:
    """A table that has rows of ours: which columns were looked at, and the keys of the rows as text."""

    columns: set[int]
    key: tuple[int, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)


class Seeds:
    """The rows of ours in one database; in a session of its own."""

    def __init__(self, connection: psycopg.Connection, *, is_off: bool = False) -> None:
        """Without any rows where it `is_off`."""
        self._connection = connection
        self._is_off = is_off
        self._seeded: dict[int, _Seeded] = {}
        self.without_rows: dict[str, str] = {}
        """Tables that none could be invented for, and why."""
        try:
            # Triggers and foreign keys are for the rows of applications.
            connection.execute("SET session_replication_role = replica")
        except psycopg.errors.InsufficientPrivilege:
            _log.debug("this role may not turn triggers off: rows are put in as an application does it")

    def sow(self, tables: Sequence[Table], *, empty: Collection[int]) -> set[int]:
        """Put rows into those of `empty`; fill the new columns of those that have rows of ours already.

        The tables that are not as they were.
        """
        sown: set[int] = set()
        if self._is_off or (not empty and not any(self._has_new_columns(each) for each in tables)):
            return sown
        rules = self._rules([each.oid for each in tables])
        todo = [each for each in tables if each.oid in empty]
        # Parents first; what refers to each other in a circle comes as it comes.
        while todo:
            waiting = {each.oid for each in todo}
            ready = [each for each in todo if not self._waits(rules[each.oid], each.oid, waiting)] or todo[:1]
            for table in ready:
                self._sow_table(table, rules[table.oid])
                sown.add(table.oid)
            done = {each.oid for each in ready}
            todo = [each for each in todo if each.oid not in done]
        for table in tables:
            if table.oid not in empty and self._has_new_columns(table):
                self._fill_new_columns(table, rules[table.oid])
                sown.add(table.oid)
        return sown

    def clear(self, tables: Sequence[Table]) -> list[Table]:
        """Take our rows out of these tables; those that have none any more."""
        left = [each for each in tables if each.oid in self._seeded]
        cleared: list[Table] = []
        while left:
            # Where foreign keys are in force, what refers to a row goes first.
            done = [each for each in left if self._delete(each, self._seeded[each.oid])]
            if not done:
                break
            cleared += done
            left = [each for each in left if each not in done]
        for each in cleared:
            del self._seeded[each.oid]
        return cleared

    @property
    def oids(self) -> frozenset[int]:
        """The tables that have rows of ours."""
        return frozenset(self._seeded)

    def forget(self, oids: Collection[int]) -> None:
        """These tables are gone, or nobody knows whose rows they have."""
        for oid in oids:
            self._seeded.pop(oid, None)

    def _rules(self, oids: Sequence[int]) -> Mapping[int, list[_Rule]]:
        found: dict[int, list[_Rule]] = defaultdict(list)
        if oids:
            cursor = psycopg.RawCursor(self._connection)
            for oid, name, kind, key, refers_to, parent, columns, text in cursor.execute(
                query("constraints"), [as_array(oids)]
            ):
                found[oid].append(
                    _Rule(name, kind, tuple(key), refers_to, parent or "", tuple(columns), text)
                )
        return found

    def _waits(self, rules: Sequence[_Rule], oid: int, waiting: Collection[int]) -> bool:
        return any(each.kind == "f" and each.refers_to in waiting and each.refers_to != oid for each in rules)

    def _sow_table(self, table: Table, rules: Sequence[_Rule]) -> None:
        columns = [each for each in table.columns if not each.generated]
        if not columns:
            return
        key = next((each.columns for each in rules if each.kind == "p"), ())
        plans = [_Plan(table, columns, rules, number) for number in range(1, _ROWS + 1)]
        rows: list[tuple[str, ...]] = []
        try:
            rows = self._insert(table, columns, plans, key)
        except psycopg.Error:
            for plan in plans:
                why = self._insert_somehow(table, columns, plan, key, rows)
                if why and plan is plans[0]:
                    self.without_rows[table.sql] = why
                    return
        self.without_rows.pop(table.sql, None)
        self._seeded[table.oid] = _Seeded({each.number for each in table.columns}, key, rows)

    def _insert(
        self, table: Table, columns: Sequence[Column], plans: Sequence[_Plan], key: Sequence[int]
    ) -> list[tuple[str, ...]]:
        names = ", ".join(each.sql for each in columns)
        values = ", ".join(f"({', '.join(plan.values)})" for plan in plans)
        by_number = {each.number: each for each in columns}
        returned = ", ".join(f"{by_number[each].sql}::text" for each in key if each in by_number) or "NULL"
        text = (
            f"INSERT INTO {table.sql} ({names}) OVERRIDING SYSTEM VALUE VALUES {values} RETURNING {returned}"
        )
        return [tuple(row) for row in self._connection.execute(text.encode()).fetchall()]

    def _insert_somehow(
        self,
        table: Table,
        columns: Sequence[Column],
        plan: _Plan,
        key: Sequence[int],
        rows: list[tuple[str, ...]],
    ) -> str:
        """Try values until the table takes them; why it takes none, "" where it does."""
        for _ in range(_MOST_TRIES):
            try:
                rows += self._insert(table, columns, [plan], key)
            except psycopg.Error as error:
                if not plan.turn(error, self._is_value):
                    return error.diag.message_primary or str(error)
            else:
                return ""
        return "no values that its constraints take were found"

    def _is_value(self, expression: str) -> bool:
        try:
            self._connection.execute(f"SELECT {expression}".encode())
        except psycopg.Error:
            return False
        return True

    def _has_new_columns(self, table: Table) -> bool:
        seeded = self._seeded.get(table.oid)
        return seeded is not None and any(each.number not in seeded.columns for each in table.columns)

    def _fill_new_columns(self, table: Table, rules: Sequence[_Rule]) -> None:
        """Give our rows values in columns that are new to them, in all but the sparse row."""
        seeded = self._seeded[table.oid]
        new = [each for each in table.columns if each.number not in seeded.columns]
        seeded.columns |= {each.number for each in new}
        for column in new:
            if column.generated or column.is_required or column.default is not None:
                continue  # it has values already
            plans = [_Plan(table, [column], rules, number) for number in range(1, _SPARSE_ROW)]
            for _ in range(_MOST_TRIES // 4):
                try:
                    self._update(table, column, plans)
                except psycopg.Error as error:
                    turned = [plan.turn(error, self._is_value) for plan in plans]
                    if all(turned):
                        continue
                    _log.debug("no values for %s.%s: %s", table.sql, column.sql, error)
                break

    def _update(self, table: Table, column: Column, plans: Sequence[_Plan]) -> None:
        cases = " ".join(f"WHEN {number} THEN {plan.values[0]}" for number, plan in enumerate(plans, 1))
        text = (
            f"UPDATE ONLY {table.sql} AS t SET {column.sql} = CASE r.number {cases} END"
            f" FROM (SELECT ctid, row_number() OVER (ORDER BY ctid) AS number FROM ONLY {table.sql}) AS r"
            f" WHERE r.ctid = t.ctid AND t.{column.sql} IS NULL AND r.number < {_SPARSE_ROW}"
        )
        self._connection.execute(text.encode())

    def _delete(self, table: Table, seeded: _Seeded) -> bool:
        """Take our rows out of one; False where others still refer to them."""
        names = {each.number: each.sql for each in table.columns}
        text = f"DELETE FROM ONLY {table.sql}"
        # Nothing tells ours from those of a migration: where there are no more than ours, they are ours.
        few = f"(SELECT count(*) FROM ONLY {table.sql}) <= {max(len(seeded.rows), 1)}"
        try:
            if seeded.key and all(number in names for number in seeded.key):
                key = " || chr(9) || ".join(f"{names[number]}::text" for number in seeded.key)
                taken = ["\t".join(row) for row in seeded.rows]
                named = f"{text} WHERE {key} = ANY ".replace("%", "%%")
                if self._connection.execute(f"{named} (%s)".encode(), [taken]).rowcount:
                    return True
            self._connection.execute(f"{text} WHERE {few}".encode())
        except psycopg.Error as error:
            _log.debug("rows of ours stay in %s: %s", table.sql, error)
            return False
        return True


class _Plan:
    """The values of one row, and what else could stand in their place."""

    def __init__(self, table: Table, columns: Sequence[Column], rules: Sequence[_Rule], number: int) -> None:
        self._columns = columns
        self._rules = {each.name: each for each in rules}
        self._turns = 0
        self._choices = [self._choice(table, each, number) for each in columns]
        self.values = [next(each, "NULL") for each in self._choices]

    def _choice(self, table: Table, column: Column, number: int) -> Iterator[str]:
        rules = self._rules.values()
        in_key = any(each.kind == "p" and column.number in each.columns for each in rules)
        if number == _SPARSE_ROW and not column.is_required and not in_key:
            yield "NULL"
        for rule in rules:
            if rule.kind == "f" and column.number in rule.columns:
                yield from _of_parent(table, rule, column, number)
                return
        said = [each.text for each in rules if each.kind == "c" and column.number in each.columns]
        if table.bound and column.name in table.bound:
            said.append(table.bound.replace(" >= ", " = "))
        yield from candidates(column, number, rules=said)

    def turn(self, error: psycopg.Error, is_value: Callable[[str], bool]) -> bool:
        """Take other values after an error; False: there are none."""
        places = list(self._to_blame(error, is_value))
        self._turns += 1
        for shift in range(len(places)):
            place = places[(self._turns + shift) % len(places)]
            other = next(self._choices[place], None)
            if other is not None:
                self.values[place] = other
                return True
        return False

    def _to_blame(self, error: psycopg.Error, is_value: Callable[[str], bool]) -> Iterator[int]:
        said = error.diag
        rule = self._rules.get(said.constraint_name or "")
        is_bad_value = (error.sqlstate or "").startswith(_BAD_VALUE)
        for place, column in enumerate(self._columns):
            if (
                (rule is not None and column.number in rule.columns)
                or (rule is None and column.name == said.column_name)
                or (rule is None and said.datatype_name and column.checks)
                or (is_bad_value and not is_value(self.values[place]))
                # A partition's bound has no name.
                or (rule is None and error.sqlstate == "23514" and not said.datatype_name)
                or (rule is None and error.sqlstate == "23505")
            ):
                yield place


def _of_parent(table: Table, rule: _Rule, column: Column, number: int) -> Iterator[str]:
    """The value of a row of the table that a foreign key refers to."""
    if rule.refers_to == table.oid:
        # Its own rows: those before it are there already only where they were put in one by one.
        yield "NULL"
        return
    name = rule.parent_columns[rule.columns.index(column.number)]
    order = ", ".join(rule.parent_columns)
    # A check may want two columns to speak of different rows.
    for shift in range(_ROWS):
        place = (number - 1 + shift) % _ROWS
        yield f"(SELECT {name} FROM {rule.parent} ORDER BY {order} OFFSET {place} LIMIT 1)"
    if not column.is_required:
        yield "NULL"
