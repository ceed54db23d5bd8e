"""Databases for the golden matrix: one for each theme, and copies of it for cases that commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from effect_cases import Case, Theme, base_rows, base_schema


class Databases:
    """Makes them on one server, each with as many rows as are asked for.

    Nothing else may be connected to a theme's database while a copy of it is made.
    """

    def __init__(self, conninfo: str, *, rows: int) -> None:
        self._conninfo = conninfo
        self._rows = rows
        self._made: set[str] = set()

    def conninfo(self, name: str) -> str:
        return make_conninfo(self._conninfo, dbname=name)

    def of_theme(self, theme: Theme) -> str:
        """The name of a theme's database; it is made once."""
        name = f"{theme.name}_{self._rows}"
        if name not in self._made:
            self._create(name, "template0")
            self._made.add(name)
            self._fill(name, theme)
        return name

    @contextmanager
    def copy(self, theme: Theme, case: Case) -> Iterator[str]:
        """The name of a database of its own for a case, its setup done; it is gone afterwards."""
        name = f"{theme.name}_{self._rows}_copy"
        self._create(name, self.of_theme(theme))
        try:
            if case.setup:
                with psycopg.connect(self.conninfo(name), autocommit=True) as session:
                    session.execute(case.setup.encode())
            yield name
        finally:
            self._drop(name)

    @contextmanager
    def ready(self, theme: Theme, case: Case) -> Iterator[str]:
        """The name of a database that a case may run in: its own, unless what it does is rolled back."""
        if case.is_rolled_back:
            yield self.of_theme(theme)
            return
        with self.copy(theme, case) as name:
            yield name

    def drop_all(self) -> None:
        """Drop every theme's database."""
        while self._made:
            self._drop(self._made.pop())

    def provide(self, need: str) -> None:
        """What is the server's and not the database's."""
        if need == "tablespace":
            with psycopg.connect(self._conninfo, autocommit=True) as session:
                if not session.execute("SELECT FROM pg_tablespace WHERE spcname = 'howdah_aside'").rowcount:
                    session.execute("SET allow_in_place_tablespaces = on")
                    session.execute("CREATE TABLESPACE howdah_aside LOCATION ''")

    def _drop(self, name: str) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as session:
            session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _create(self, name: str, template: str) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as session:
            version = session.info.server_version
            session.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(
                    sql.Identifier(name),
                    sql.Identifier(template),
                    sql.SQL("STRATEGY file_copy" if version >= 150000 else ""),
                )
            )

    def _fill(self, name: str, theme: Theme) -> None:
        with psycopg.connect(self.conninfo(name), autocommit=True) as session:
            session.execute(base_schema().encode())
            session.execute(theme.setup.encode())
            if self._rows:
                session.execute("SELECT set_config('howdah.rows', %s, false)", [str(self._rows)])
                session.execute(base_rows().encode())
                session.execute(theme.rows.encode())
                session.execute("VACUUM ANALYZE")


def apply_settings(session: psycopg.Connection, case: Case) -> None:
    """The settings of a case, to the end of the session."""
    for name, value in case.settings.items():
        session.execute("SELECT set_config(%s, %s, false)", [name, value])
