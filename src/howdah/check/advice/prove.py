"""Run another way before it is advised: on a copy of the database that stands where the statement began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

import psycopg

from howdah.check.advice.catalogue import read_catalogue, what_was_made
from howdah.check.advice.recipes import NONE, Case, Recipe, Steps
from howdah.check.report import SafeStep
from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.observe.observer import Observer
from howdah.observe.verdict import Verdict, judge, worst
from howdah.pg.statements import split_script
from howdah.rehearse.observed import ObservedStatement, ObservedStep
from howdah.rehearse.throwaway import Throwaway
from howdah.schema.compare import compare
from howdah.schema.snapshot import Snapshot, read_schema

# New columns stand behind the others whichever way they come.
_IGNORED = ("extension version", "column order")


def prove(
    recipe: Recipe, step: ObservedStep, number: int, *, stand: DatabaseConfig, throwaway: Throwaway
) -> Steps:
    """The steps of a recipe for one statement, each with its verdict as observed.

    () where there are none, where one of them fails or keeps others waiting for long, and where they do not lead to
    what the statement itself makes.

    Args:
        recipe: makes up the steps.
        step: what the statement is part of.
        number: of the statement, from 1.
        stand: a database that stands before the step; nobody may be connected to it.
        throwaway: the server that it is on.
    """
    statement = step.statements[number - 1]
    with _copy(stand, throwaway) as place, Observer() as observer:
        try:
            with place.session() as connection:
                observer.mark_in_use(connection)
                _run_earlier(connection, step, number)
                before = read_catalogue(connection)
                with connection.transaction(force_rollback=True):
                    connection.execute(statement.text.encode())
                    made = what_was_made(before, read_catalogue(connection))
                    wanted = read_schema(connection)
            steps = tuple(_run(each, place, observer) for each in recipe(Case(statement.text, made)))
            is_good = _is_calm(steps) and _is_same(wanted, place)
        except psycopg.Error:
            return NONE
    return steps if is_good else NONE


@dataclass(frozen=True)
class _Place:
    """A database to try the steps on."""

    database: DatabaseConfig
    search_path: str

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection]:
        """A new session, as each migration might get one."""
        with open_session(self.database, application_name="howdah check") as connection:
            connection.execute("SELECT set_config('search_path', %s, false)", [self.search_path])
            yield connection


@contextmanager
def _copy(stand: DatabaseConfig, throwaway: Throwaway) -> Iterator[_Place]:
    """A copy of the database; what is set for a database itself is not copied with it."""
    with open_session(stand) as connection:
        row = connection.execute("SELECT current_setting('search_path')").fetchone()
    assert row is not None
    with throwaway.copy(stand) as database:
        yield _Place(database, row[0])


def _run_earlier(connection: psycopg.Connection, step: ObservedStep, number: int) -> None:
    """The statements before this one, as they ran."""
    earlier = step.statements[: number - 1]
    if step.transactional:
        with connection.transaction():
            _execute(connection, earlier)
    else:
        _execute(connection, earlier)


def _execute(connection: psycopg.Connection, statements: Sequence[ObservedStatement]) -> None:
    for each in statements:
        connection.execute(each.text.encode())


def _run(step: SafeStep, place: _Place, observer: Observer) -> SafeStep:
    """The step with its verdict. Raises psycopg.Error: it failed."""
    with place.session() as connection, connection.transaction() if step.transactional else nullcontext():
        observer.begin(connection, transactional=step.transactional)
        for statement in split_script(step.sql):
            observer.before(connection, statement)
            connection.execute(statement.text.encode())
            observer.after(connection, None)
        effects = observer.end(connection)
    return replace(step, verdict=worst(judge(each) for each in effects))


def _is_calm(steps: Steps) -> bool:
    return bool(steps) and all(
        each.verdict is not None and each.verdict.rank <= Verdict.BRIEF.rank for each in steps
    )


def _is_same(wanted: Snapshot, place: _Place) -> bool:
    with place.session() as connection:
        return not compare(wanted, read_schema(connection), ignoring=_IGNORED)
