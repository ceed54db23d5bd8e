"""Decide about extensions: not installed, not permitted, not preloaded and too old are told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import zip_longest

from howdah.errors import ConfigError
from howdah.pg.identifiers import check_name
from howdah.provision.changes import CreateExtension, PreloadLibraries, UpdateExtension
from howdah.provision.databases import to_create_in_database
from howdah.provision.facts import Extension, Facts
from howdah.provision.rights import (
    has_privileges_of,
    is_provider_admin,
    is_superuser,
    provider_of,
)
from howdah.provision.steps import Status, Step, acting_for, blocked, forbidden, there

# extension -> (library to preload, whether CREATE EXTENSION itself fails without it)
_PRELOADED: dict[str, tuple[str, bool]] = {
    "citus": ("citus", True),
    "pg_cron": ("pg_cron", True),
    "pg_stat_monitor": ("pg_stat_monitor", False),
    "pg_stat_statements": ("pg_stat_statements", False),
    "pg_wait_sampling": ("pg_wait_sampling", False),
    "pgaudit": ("pgaudit", True),
    "timescaledb": ("timescaledb", True),
}
# extension -> the package that brings it; Debian's and Fedora's contrib packages bring what is not named here
_PACKAGES = {"vector": "pgvector", "postgis": "postgis", "pg_cron": "pg_cron", "timescaledb": "timescaledb"}
_WANTED = re.compile(r"\s*(.+?)\s*(?:>=\s*([\w.]+)\s*)?")


def read_extension(text: str) -> CreateExtension:
    """The extension that an entry of `extensions` names: `uuid-ossp`, or `vector >= 0.8` for a version.

    Raises:
        ConfigError: it is no name.
    """
    found = _WANTED.fullmatch(text)
    if not found:
        raise ConfigError(f"{text!r} names no extension", code="bad-name")
    return CreateExtension(check_name(found[1], what="extension"), at_least=found[2])


def preload_libraries(extensions: Iterable[str]) -> tuple[str, ...]:
    """The libraries that must be in shared_preload_libraries for the extensions of these names to work."""
    return tuple(sorted(_PRELOADED[name][0] for name in extensions if name in _PRELOADED))


def decide_extension(wanted: CreateExtension, facts: Facts) -> list[Step]:
    """The extension is there, new enough, and usable."""
    assert facts.inside is not None
    offered = facts.extensions.get(wanted.name)
    preload = _decide_preload(wanted, facts)
    if wanted.name in facts.inside.installed:
        return [*_decide_version(wanted, facts.inside.installed[wanted.name], offered, facts), *preload]
    if offered is None:
        return [_not_installed(wanted, wanted.name, facts)]
    required = _required(offered, facts)
    lacking = [name for name in required if name not in facts.extensions]
    if lacking:
        return [_not_installed(wanted, lacking[0], facts)]
    if wanted.at_least and _is_older(offered.default_version, wanted.at_least):
        return [_too_old(wanted, offered.default_version)]
    if preload and _PRELOADED[wanted.name][1]:
        return preload
    change = CreateExtension(wanted.name, wanted.at_least, cascade=bool(required))
    step = Step(change, Status.CREATE, f"version {offered.default_version}")
    parts = [offered, *(facts.extensions[name] for name in required)]
    return [*_decide_permission(step, change, parts, facts), *preload]


def _required(extension: Extension, facts: Facts) -> list[str]:
    """The extensions it needs that are not in the database yet, needed by needed."""
    assert facts.inside is not None
    found: list[str] = []
    todo = list(extension.requires)
    while todo:
        name = todo.pop()
        if name not in facts.inside.installed and name not in found:
            found.append(name)
            todo.extend(facts.extensions[name].requires if name in facts.extensions else ())
    return found


def _decide_permission(
    step: Step, change: CreateExtension, parts: list[Extension], facts: Facts
) -> list[Step]:
    assert facts.database is not None
    if is_superuser(facts, facts.user) or is_provider_admin(facts, facts.user):
        return [step]
    if any(part.superuser and not part.trusted for part in parts):
        admin = f"an administrator of {provider_of(facts)}" if provider_of(facts) else "a superuser"
        return [_not_permitted(change, facts, "the rights of a superuser, which this extension needs", admin)]
    joins = to_create_in_database(facts)
    if joins is not None:
        return [*joins, step]
    missing, owner = f"CREATE on database {facts.database.name}", facts.database.owner
    return [_not_permitted(change, facts, missing, f"a superuser or {owner}, the owner of the database")]


def _not_permitted(change: CreateExtension, facts: Facts, missing: str, who: str) -> Step:
    step = forbidden(change, facts, missing=missing, who=who)
    assert step.blocked is not None
    return blocked(
        change,
        code="extension-not-permitted",
        why=step.blocked.why,
        fix=step.blocked.fix,
        statement=step.blocked.statement,
    )


def _decide_version(
    wanted: CreateExtension, installed: str, offered: Extension | None, facts: Facts
) -> list[Step]:
    newest = offered.default_version if offered else installed
    if not wanted.at_least or not _is_older(installed, wanted.at_least):
        newer = f"; {newest} is offered: ALTER EXTENSION ... UPDATE" if _is_older(installed, newest) else ""
        return [there(wanted, f"version {installed}{newer}")]
    if _is_older(newest, wanted.at_least):
        return [_too_old(wanted, newest)]
    change = UpdateExtension(wanted.name, newest)
    owner = offered.owner if offered else None
    joins = acting_for(facts, (owner, has_privileges_of)) if owner else []
    if joins is None:
        missing = f"ownership of extension {wanted.name}, which is {owner}'s"
        return [forbidden(change, facts, missing=missing, who=f"a superuser or {owner}")]
    return [*joins, Step(change, Status.CHANGE, f"from {installed}")]


def _decide_preload(wanted: CreateExtension, facts: Facts) -> list[Step]:
    assert facts.inside is not None
    if wanted.name not in _PRELOADED:
        return []
    library, _ = _PRELOADED[wanted.name]
    if facts.preloaded is None:  # not ours to read: then it is wanting only when the extension said so
        if wanted.name != "pg_stat_statements" or facts.inside.statements_work:
            return []
    elif library in facts.preloaded:
        return []
    change = PreloadLibraries((*(facts.preloaded or ()), library), library)
    known = facts.preloaded is not None
    return [
        blocked(
            change,
            code="extension-not-preloaded",
            why=f"{wanted.name} works only on a server that loads {library} when it starts.",
            fix=(
                "In the service's settings add it to shared_preload_libraries and restart the server."
                if provider_of(facts) or not known
                else "Let a superuser run this, then restart the server:"
            ),
            statement=change.sql if known and not provider_of(facts) else None,
        )
    ]


def _not_installed(wanted: CreateExtension, name: str, facts: Facts) -> Step:
    provider = provider_of(facts)
    package = _PACKAGES.get(name)
    host = (
        f"the package that brings it ({package})" if package else "PostgreSQL's contrib package, or its own,"
    )
    required = "" if name == wanted.name else f", which {wanted.name} requires,"
    return blocked(
        wanted,
        code="extension-not-installed",
        why=f"The server's host does not have extension {name}{required} for PostgreSQL {facts.major}.",
        fix=(
            f"Allow it in the settings of {provider}, if it is offered there; then run setup again."
            if provider
            else f"Install {host} for PostgreSQL {facts.major} on the server's host; then run setup again."
        ),
    )


def _too_old(wanted: CreateExtension, offered: str) -> Step:
    return blocked(
        wanted,
        code="extension-too-old",
        why=f"The project wants {wanted.name} {wanted.at_least}; the server's host has {offered}.",
        fix="Install a newer package on the server's host; then run setup again.",
    )


def _is_older(version: str, than: str) -> bool:
    """Compare by numbers where there are numbers: 1.9 is older than 1.10."""
    for mine, theirs in zip_longest(_numbers(version), _numbers(than), fillvalue=0):
        if mine != theirs:
            return mine < theirs
    return False


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
