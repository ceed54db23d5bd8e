"""Run revisions in this process: the team's own env.py, through the Alembic library.

Source: sqlalchemy/alembic runtime/environment.py, runtime/migration.py run_migrations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.errors import SourceError, Where
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Step

if TYPE_CHECKING:
    from alembic.config import Config

    from howdah.migrate.formats.alembic.places import Places


@dataclass(frozen=True)
class AlembicHost:
    """Runs revisions as `alembic upgrade` and `alembic downgrade` do, one transaction each."""

    def run(
        self,
        steps: Sequence[Step],
        *,
        directory: Path,
        database: DatabaseConfig,
        connection: psycopg.Connection,
        table: HistoryTable,
        stall_seconds: float,
        on_done: Callable[[Step], None],
    ) -> None:
        """Run the steps in order.

        env.py connects by itself: to the address in `sqlalchemy.url` or DATABASE_URL, which are ours meanwhile. Before
        anything runs it is proved that it came to the database of `connection`, and to the history `table`.

        Raises:
            MigrationFailed: a revision failed.
            EnvironmentFailed: env.py did, before any.
            RefusedError: env.py connects elsewhere, or keeps another history.
            UnsupportedError: the Alembic library is not installed.
        """
        from howdah.migrate.formats.alembic.places import find_places
        from howdah.migrate.formats.alembic.template import no_library

        places = find_places(directory)
        env = _env_py(places, directory)
        try:
            import alembic  # noqa: F401 - that it is there
        except ImportError:
            raise no_library(places.ini or directory) from None
        from howdah.migrate.formats.alembic.address import variables_for
        from howdah.migrate.formats.alembic.environment import Guard, Run
        from howdah.migrate.formats.alembic.process import away_from_loop, lent_process

        def work() -> None:
            with lent_process(places.home, places.imports, variables_for(places, database)):
                guard = Guard(connection, table, int(stall_seconds * 1000))
                Run(make_config(places, database), str(env), guard, steps, on_done).run()

        away_from_loop(work)

    def autogenerate(self, directory: Path, words: str, database: DatabaseConfig) -> tuple[Path, ...]:
        """Write the revision that brings the database to the project's models; what Alembic's own command does.

        Raises:
            EnvironmentFailed: env.py failed, or the database is not at the newest revision.
            UnsupportedError: the Alembic library is not installed.
        """
        from howdah.migrate.formats.alembic.places import find_places
        from howdah.migrate.formats.alembic.template import no_library

        places = find_places(directory)
        env = _env_py(places, directory)
        try:
            from alembic import command
        except ImportError:
            raise no_library(places.ini or directory) from None
        from howdah.migrate.formats.alembic.address import variables_for
        from howdah.migrate.formats.alembic.failures import environment_failed
        from howdah.migrate.formats.alembic.process import away_from_loop, lent_process

        def work() -> tuple[Path, ...]:
            with lent_process(places.home, places.imports, variables_for(places, database)):
                try:
                    made = command.revision(make_config(places, database), message=words, autogenerate=True)
                except (Exception, SystemExit) as error:
                    raise environment_failed(error, str(env)) from error
            scripts = made if isinstance(made, list) else [made]
            return tuple(Path(each.path) for each in scripts if each is not None)

        return away_from_loop(work)


def _env_py(places: Places, directory: Path) -> Path:
    """The file that runs revisions. Raises SourceError: there is none."""
    env = places.script and places.script / "env.py"
    if env is None or not env.is_file():
        raise SourceError(
            "there is no env.py that could run these revisions",
            code="bad-alembic-configuration",
            where=Where(str(env or directory)),
            fix="Name the folder that has alembic.ini, or the one that has env.py.",
        )
    return env


def make_config(places: Places, database: DatabaseConfig) -> Config:
    """The configuration of the project, with its folders and the address filled in."""
    import os
    import sys

    from alembic.config import Config

    from howdah.migrate.formats.alembic.address import sqlalchemy_url

    ini = str(places.ini) if places.ini else None
    # The other file is known to Alembic from 1.16 on.
    config = (
        Config(ini, toml_file=str(places.toml), stdout=sys.stderr)
        if places.toml
        else Config(ini, stdout=sys.stderr)
    )
    set_option = config.set_main_option
    set_option("sqlalchemy.url", _escaped(sqlalchemy_url(config, places, database)))
    if places.script:
        set_option("script_location", _escaped(str(places.script)))
    for name in ("path_separator", "version_path_separator"):  # the second until Alembic 1.16
        set_option(name, "os")
    set_option("version_locations", _escaped(os.pathsep.join(map(str, places.versions))))
    # They are on sys.path already; Alembic would leave them there.
    set_option("prepend_sys_path", "")
    return config


def _escaped(text: str) -> str:
    """As ConfigParser wants a text whose percent signs mean themselves."""
    return text.replace("%", "%%")
