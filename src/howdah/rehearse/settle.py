"""Make a history that has rows of squashed migrations one that the tool itself is content with."""

from __future__ import annotations

from dataclasses import dataclass

from howdah.migrate import squashed
from howdah.migrate.events import Result
from howdah.migrate.migrator import Migrator
from howdah.migrate.sql import run_queries


@dataclass(frozen=True)
class Settled:
    """The migrations that were applied to reach the squashed version, and the versions whose rows are gone."""

    applied: tuple[Result, ...]
    removed: tuple[str, ...]


def settle(migrator: Migrator) -> Settled:
    """Carry a database on to the newest squashed version, and take out the rows of those that have no file any more.

    Files are not touched. A history of one number needs nothing, nor does a database that is empty.

    Raises: as Migrator.up.
    """
    source, access = migrator.source(), migrator.access
    archives = squashed.read_archives(access.format, migrator.directory)
    with access.session() as connection:
        history = access.read(connection)[1]
    applied: list[Result] = []
    versions = {each.version for each in history.applied}
    if archives and versions & archives[0].lower and archives[0].version not in versions:
        applied = migrator.up(to=archives[0].version)
    with access.locked() as (connection, _):
        gone, queries = squashed.settle(access.format, source, access.read(connection)[1])
        if queries:
            run_queries(connection, queries)
    return Settled(tuple(applied), tuple(gone))
