"""Decide about grants and default privileges."""

from __future__ import annotations

from dataclasses import replace

from howdah.provision.changes import PUBLIC
from howdah.provision.facts import DefaultGrant, Facts, Grants, Objects
from howdah.provision.grants import GrantFuture, GrantPrivileges, Kind, spell_out
from howdah.provision.rights import has_in_effect, has_privileges_of
from howdah.provision.steps import Status, Step, acting_for, blocked, forbidden, missing_role, there


def decide_grant(wanted: GrantPrivileges, facts: Facts) -> list[Step]:
    """The role holds the privileges on what is there now."""
    wanted = replace(wanted, privileges=spell_out(wanted.privileges, wanted.object.kind, major=facts.major))
    if wanted.to != PUBLIC and wanted.to not in facts.roles:
        return [] if wanted.needed else [missing_role(wanted, wanted.to)]
    if facts.database is None:
        return [] if wanted.needed else [_missing_object(wanted)]
    match wanted.object.kind:
        case Kind.DATABASE:
            return _on_one(wanted, facts.database.owner, facts.database.grants, facts)
        case Kind.SCHEMA:
            schema = facts.inside and facts.inside.schemas.get(wanted.object.name)
            if not schema:
                return [] if wanted.needed else [_missing_object(wanted)]
            return _on_one(wanted, schema.owner, schema.grants, facts)
        case _:
            return _on_many(wanted, facts)


def _on_one(wanted: GrantPrivileges, owner: str, grants: Grants, facts: Facts) -> list[Step]:
    if wanted.needed:
        held = {word for word in wanted.privileges if has_in_effect(facts, wanted.to, word, grants)}
    else:
        held = {word for word in wanted.privileges if (wanted.to, word) in grants or (PUBLIC, word) in grants}
    return _give(wanted, held, {owner}, facts)


def _on_many(wanted: GrantPrivileges, facts: Facts) -> list[Step]:
    assert facts.inside is not None
    if wanted.object.name not in facts.inside.schemas:
        return [_missing_object(wanted)]
    objects = facts.inside.objects.get((wanted.object.name, wanted.object.kind), Objects())

    def count(word: str) -> int:
        return max(objects.granted.get((who, word), 0) for who in (wanted.to, PUBLIC))

    held = {word for word in wanted.privileges if count(word) >= objects.total}
    return _give(wanted, held, set(objects.owners), facts)


def _give(wanted: GrantPrivileges, held: set[str], owners: set[str], facts: Facts) -> list[Step]:
    lacking = tuple(word for word in wanted.privileges if word not in held)
    if not lacking:
        return [] if wanted.needed else [there(wanted)]
    change = replace(wanted, privileges=lacking)
    joins = acting_for(facts, *((owner, has_privileges_of) for owner in sorted(owners)))
    if joins is None:
        names = " and ".join(sorted(owners))
        missing = f"the privileges of {names}, the owner of {wanted.object}"
        return [forbidden(change, facts, missing=missing, who=f"a superuser or {names}")]
    note = "the application's role could not work without it" if wanted.needed else ""
    return [*joins, Step(change, Status.CREATE, note)]


def decide_future(wanted: GrantFuture, facts: Facts) -> list[Step]:
    """The role will hold the privileges on what the owner makes later."""
    assert facts.inside is not None
    wanted = replace(wanted, privileges=spell_out(wanted.privileges, wanted.object.kind, major=facts.major))
    for role in (wanted.owner, wanted.to):
        if role != PUBLIC and role not in facts.roles:
            return [missing_role(wanted, role)]
    schema, kind = wanted.object.name, wanted.object.kind
    if schema not in facts.inside.schemas:
        return [_missing_object(wanted)]
    lacking = tuple(
        word
        for word in wanted.privileges
        if DefaultGrant(wanted.owner, schema, kind, wanted.to, word) not in facts.inside.defaults
    )
    if not lacking:
        return [there(wanted)]
    change = replace(wanted, privileges=lacking)
    joins = acting_for(facts, (wanted.owner, has_privileges_of))
    if joins is None:
        missing = f"the privileges of {wanted.owner}"
        return [forbidden(change, facts, missing=missing, who=f"a superuser or {wanted.owner}")]
    return [*joins, Step(change, Status.CREATE)]


def _missing_object(wanted: GrantPrivileges | GrantFuture) -> Step:
    return blocked(
        wanted,
        code="missing-object",
        why=f"Schema {wanted.object.name} is not there."
        if wanted.object.kind is not Kind.DATABASE
        else f"Database {wanted.object.name} is not there.",
        fix="Name it in `schemas` of [database.NAME.setup], or create it; then run setup again.",
    )
