"""What a run over all databases of a project would do, in which order. Changes nothing, locks nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from howdah.config.database import DatabaseConfig
from howdah.config.project import Project
from howdah.connect.known import as_howdah_error
from howdah.errors import ConfigError, HowdahError
from howdah.findings import Finding
from howdah.fleet.crew import in_threads
from howdah.fleet.inventory import Found, address_of, find_addresses, make_migrator
from howdah.fleet.schedule import in_order
from howdah.fleet.status import STATUS_PARALLEL
from howdah.migrate.formats.interface import OutOfOrder
from howdah.migrate.plan import Plan


@dataclass(frozen=True)
class DatabasePlan:
    """What `migrate_all` would do in one database.

    Attributes:
        plan: the steps; None where there are no migrations, or an error.
        error: why nothing could run there as things are; what depends on it would be skipped.
    """

    name: str
    depends_on: tuple[str, ...] = ()
    target: DatabaseConfig | None = None
    plan: Plan | None = None
    notes: tuple[Finding, ...] = ()
    error: HowdahError | None = None


def plan_all(
    project: Project, *, parallel: int = STATUS_PARALLEL, out_of_order: OutOfOrder | None = None
) -> tuple[DatabasePlan, ...]:
    """The plans in the order in which a run of one database at a time carries them out.

    Raises:
        ConfigError: nothing says where any of them is.
    """
    found = find_addresses(project)
    depends_on = {each.name: each.depends_on for each in project.databases}

    def read(name: str) -> DatabasePlan:
        return _read(DatabasePlan(name, depends_on[name]), found[name], out_of_order)

    return tuple(in_threads(read, in_order(depends_on), size=parallel))


def _read(blank: DatabasePlan, found: Found, out_of_order: OutOfOrder | None) -> DatabasePlan:
    notes = () if isinstance(found, ConfigError) else found.notes
    blank = replace(blank, target=address_of(found), notes=notes)
    try:
        migrator = make_migrator(found, out_of_order=out_of_order)
        plan = migrator.plan() if migrator else None
    except Exception as error:
        known = as_howdah_error(error)
        if known is None:
            raise
        return replace(blank, error=known)
    return replace(blank, plan=plan, notes=(*notes, *(plan.notes if plan else ())))
