"""Decide about the database, its owner and its schemas."""

from __future__ import annotations

import re

from howdah.provision.changes import ChangeOwner, CreateDatabase, CreateSchema
from howdah.provision.evolve import evolve
from howdah.provision.facts import Database, Facts
from howdah.provision.rights import (
    has_in_effect,
    has_privileges_of,
    may_create_databases,
    may_set_role,
)
from howdah.provision.steps import Right, Status, Step, acting_for, blocked, forbidden, missing_role, there


def decide_database(wanted: CreateDatabase, facts: Facts) -> list[Step]:
    """The database is there; where encoding or locale are named, with these."""
    if facts.database is not None:
        return [there(wanted, f"owned by {facts.database.owner}"), *_fixed_at_birth(wanted, facts.database)]
    if wanted.owner and wanted.owner not in facts.roles:
        return [missing_role(wanted, wanted.owner)]
    if not may_create_databases(facts, facts.user):
        return [forbidden(wanted, facts, missing="CREATEDB", who="a superuser or a role with CREATEDB")]
    joins = acting_for(facts, (wanted.owner, may_set_role)) if wanted.owner else []
    if joins is None:
        return [_not_for_owner(wanted, facts, wanted.owner or "")]
    return [*joins, Step(wanted, Status.CREATE)]


def _fixed_at_birth(wanted: CreateDatabase, found: Database) -> list[Step]:
    differs = []
    if wanted.encoding and _plain(wanted.encoding) != _plain(found.encoding):
        differs.append(f"its encoding is {found.encoding}, not {wanted.encoding}")
    if wanted.locale and {_plain(found.collate), _plain(found.ctype)} != {_plain(wanted.locale)}:
        differs.append(f"its locale is {found.collate} (ctype {found.ctype}), not {wanted.locale}")
    if not differs:
        return []
    return [
        blocked(
            wanted,
            code="fixed-at-creation",
            why=f"The database is there, but {' and '.join(differs)}; a database keeps both for life.",
            fix="Dump it, create it anew and restore it, or change howdah.toml.",
        )
    ]


def _plain(name: str) -> str:
    """`en_US.UTF-8` and `en_US.utf8` are one locale, `UTF-8` and `utf8` one encoding."""
    plain = re.sub(r"[^a-z0-9.@_]", "", name.lower())
    return {"unicode": "utf8"}.get(plain, plain)


def decide_owner(wanted: ChangeOwner, facts: Facts) -> list[Step]:
    """The database belongs to the owner that the project names; a database to be made is made with it."""
    if facts.database is None or facts.database.owner == wanted.owner:
        return []
    if wanted.owner not in facts.roles:
        return [missing_role(wanted, wanted.owner)]
    now = facts.database.owner
    joins = acting_for(facts, (now, has_privileges_of))
    if joins is None or not may_create_databases(facts, facts.user):
        who = f"a superuser, or a member of {now} and {wanted.owner} with CREATEDB"
        missing = f"the privileges of the owner, {now}, together with CREATEDB"
        return [forbidden(wanted, facts, missing=missing, who=who)]
    joins = acting_for(facts, (now, has_privileges_of), (wanted.owner, may_set_role))
    if joins is None:
        return [_not_for_owner(wanted, facts, wanted.owner)]
    return [*joins, Step(wanted, Status.CHANGE, f"it is {now}'s")]


def decide_schema(wanted: CreateSchema, facts: Facts) -> list[Step]:
    """The schema is there, whoever owns it."""
    assert facts.inside is not None
    assert facts.database is not None
    if wanted.name in facts.inside.schemas:
        return [there(wanted, f"owned by {facts.inside.schemas[wanted.name].owner}")]
    if wanted.owner and wanted.owner not in facts.roles:
        return [missing_role(wanted, wanted.owner)]
    for_owner = [(wanted.owner, may_set_role)] if wanted.owner else []
    joins = acting_for(facts, *for_owner)
    if joins is None:
        return [_not_for_owner(wanted, facts, wanted.owner or "")]
    joins = to_create_in_database(facts, *for_owner)
    if joins is not None:
        return [*joins, Step(wanted, Status.CREATE)]
    missing, owner = f"CREATE on database {facts.database.name}", facts.database.owner
    return [
        forbidden(wanted, facts, missing=missing, who=f"a superuser or {owner}, the owner of the database")
    ]


def to_create_in_database(facts: Facts, *owners: tuple[str, Right]) -> list[Step] | None:
    """The steps after which we act for the owners and have CREATE on the database; None where it cannot be had."""
    assert facts.database is not None
    joins = acting_for(facts, *owners)
    after = facts
    for join in joins or []:
        after = evolve(join.change, after)
    if joins is None or has_in_effect(after, facts.user, "CREATE", facts.database.grants):
        return joins
    joins = acting_for(facts, *owners, (facts.database.owner, has_privileges_of))
    for join in joins or []:
        after = evolve(join.change, after)
    # an owner may have been stripped of it
    return joins if has_in_effect(after, facts.user, "CREATE", facts.database.grants) else None


def _not_for_owner(wanted: CreateDatabase | ChangeOwner | CreateSchema, facts: Facts, owner: str) -> Step:
    option = " with SET" if facts.major >= 16 else ""
    return forbidden(
        wanted,
        facts,
        missing=f"membership in {owner}{option}, needed to give it something",
        who=f"a superuser or a member of {owner}",
    )
