"""Run the cases of the golden matrix as the applier would, observed, and tell what was seen in their words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from types import TracebackType
from typing import Self

import psycopg

from effect_cases import Case, Expected, Theme
from effect_databases import Databases, apply_settings
from howdah.observe.effect import Change, Effect, Lock, Work, WorkKind
from howdah.observe.observer import Observer
from howdah.observe.verdict import judge
from howdah.pg.statements import split_script


class Observed:
    """Observes cases on one set of databases. Sessions to databases that cases share are kept; close it."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._theme = ""
        self._kept = ExitStack()
        self._session: tuple[psycopg.Connection, Observer] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what is kept. A database with sessions cannot be copied."""
        self._kept.close()
        self._session = None

    def observe(self, theme: Theme, case: Case) -> list[Expected]:
        """What each statement of a case did, to the one that failed."""
        self._databases.provide(case.needs)
        with self._ready(theme, case) as (session, observer):
            apply_settings(session, case)
            observer.mark_in_use(session)
            if not case.transactional:
                return _observe(observer, session, case)
            session.execute("BEGIN")
            try:
                return _observe(observer, session, case)
            finally:
                session.execute("ROLLBACK")
                session.execute("RESET ALL")

    @contextmanager
    def _ready(self, theme: Theme, case: Case) -> Iterator[tuple[psycopg.Connection, Observer]]:
        if self._theme != theme.name or not case.is_rolled_back:
            self.close()
        self._theme = theme.name
        if case.is_rolled_back:
            if self._session is None:
                self._session = self._open(self._kept, self._databases.of_theme(theme))
            yield self._session
            return
        with self._databases.copy(theme, case) as name, ExitStack() as stack:
            yield self._open(stack, name)

    def _open(self, stack: ExitStack, name: str) -> tuple[psycopg.Connection, Observer]:
        session = stack.enter_context(psycopg.connect(self._databases.conninfo(name), autocommit=True))
        return session, stack.enter_context(Observer())


def _observe(observer: Observer, session: psycopg.Connection, case: Case) -> list[Expected]:
    effects: list[Effect] = []
    observer.begin(session, transactional=case.transactional)
    for statement in split_script(case.sql):
        failure = None
        observer.before(session, statement)
        try:
            session.execute(statement.text.encode())
        except psycopg.Error as error:
            failure = error
        effects.append(observer.after(session, failure))
        if failure:
            break
    else:
        effects = list(observer.end(session))
    return [tell(effect) for effect in effects]


def tell(effect: Effect) -> Expected:
    """An effect in the words of the cases. Of one that failed: that it did."""
    if effect.error:
        return Expected("fails")
    return Expected(
        verdict=judge(effect).value,
        locks=_told_locks(effect.taken),
        held=_told_locks(effect.held),
        work=_told_work(effect.work),
        changes=tuple(sorted(map(_told_change, effect.changes))),
    )


def _told_locks(locks: Iterable[Lock]) -> dict[str, str]:
    return {
        f"{_bare(each.index)} of {_bare(each.relation)}"
        if each.index
        else _bare(each.relation): each.mode.value
        for each in locks
    }


def _told_work(work: Iterable[Work]) -> tuple[str, ...]:
    """One line for each kind of work on a table: `index rebuild users_org, users_pkey`.

    Whether all of a table is read from itself or from one of its indexes is the planner's choice of the day.
    """
    told = {
        (_bare(each.relation), WorkKind.SCAN.value, _bare(each.relation))
        if each.kind is WorkKind.INDEX_SCAN
        else (_bare(each.relation), each.kind.value, _bare(each.index or each.relation))
        for each in work
    }
    return tuple(
        f"{kind} {', '.join(name for _, _, name in some)}"
        for (_, kind), some in groupby(sorted(told), key=lambda each: each[:2])
    )


def _told_change(change: Change) -> str:
    to = f" to {_bare(change.to)}" if change.to else ""
    return f"{change.kind.value} {change.object} {_bare(change.name)}{to}{' with data' if change.holds_data else ''}"


def _bare(name: str) -> str:
    return name.removeprefix("public.")
