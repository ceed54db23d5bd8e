"""Make a history that has rows of squashed migrations one that the tool itself is content with."""

from __future__ import annotations

from dataclasses import dataclass

from howdah.migrate import squashed
from howdah.migrate.access import Access
from howdah.migrate.events import Result
from howdah.migrate.formats import find_format
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
    tool = find_format(migrator.format)
    source = migrator.source()
    archives = squashed.read_archives(tool, migrator.directory)
    access = Access(
        database=migrator.database,
        format=tool,
        evidence=migrator.evidence,
        table=migrator.table,
        schema=migrator.schema,
        lock_limit_seconds=migrator.settings.lock_limit_seconds,
        on_event=migrator.on_event,
    )
    with access.session() as connection:
        history = access.read(connection)[1]
    applied: list[Result] = []
    versions = {each.version for each in history.applied}
    if archives and versions & archives[0].lower and archives[0].version not in versions:
        applied = migrator.up(to=archives[0].version)
    with access.locked() as (connection, _):
        gone, queries = squashed.settle(tool, source, access.read(connection)[1])
        if queries:
            run_queries(connection, queries)
    return Settled(tuple(applied), tuple(gone))
