"""Decide about roles, passwords and memberships."""

from __future__ import annotations

from howdah.provision.changes import AlterRole, CreateRole, GrantRole, SetPassword
from howdah.provision.facts import Facts, Role
from howdah.provision.passwords import matches
from howdah.provision.rights import may_alter_role, may_create_roles, may_grant_role
from howdah.provision.steps import Policy, Status, Step, forbidden, missing_role, there

_CREATORS = "a superuser or a role with CREATEROLE"


def decide_role(wanted: CreateRole, facts: Facts, policy: Policy) -> list[Step]:
    """The role is there with its attributes and its password."""
    role = facts.roles.get(wanted.name)
    if role is None:
        if not may_create_roles(facts, facts.user):
            return [forbidden(wanted, facts, missing="CREATEROLE", who=_CREATORS)]
        unknown = wanted.login and not wanted.password
        return [Step(wanted, Status.CREATE, "no password is known for it" if unknown else "")]
    password = _decide_password(wanted, facts, policy)
    unread = wanted.password and password is None and _is_unread(wanted, facts, policy)
    note = "its password cannot be read, so it is left alone; --set-passwords sets it" if unread else ""
    return [_decide_attributes(wanted, role, facts, note), *([password] if password else [])]


def _decide_attributes(wanted: CreateRole, role: Role, facts: Facts, note: str) -> Step:
    login = wanted.login if wanted.login not in (None, role.login) else None
    limit = wanted.connection_limit if wanted.connection_limit not in (None, role.connection_limit) else None
    if login is None and limit is None:
        return there(wanted, note)
    change = AlterRole(role.name, login=login, connection_limit=limit)
    if may_alter_role(facts, facts.user, role.name):
        return Step(change, Status.CHANGE, note)
    return forbidden(
        change, facts, missing=f"the right to alter role {role.name}", who=_alterers(facts, role)
    )


def _is_unread(wanted: CreateRole, facts: Facts, policy: Policy) -> bool:
    known_right = policy.own_login and facts.user == wanted.name
    return not known_right and (facts.verifiers is None or wanted.name not in facts.verifiers)


def _decide_password(wanted: CreateRole, facts: Facts, policy: Policy) -> Step | None:
    password = policy.passwords.get(wanted.name)
    if password is None or (policy.own_login and facts.user == wanted.name):
        return None
    first = False
    if _is_unread(wanted, facts, policy):
        if not policy.set_passwords:
            return None
    else:
        stored = (facts.verifiers or {})[wanted.name]
        if stored is not None and matches(stored, password, role=wanted.name):
            return None
        first = stored is None
    change = SetPassword(wanted.name, first=first)
    if facts.user == wanted.name or may_alter_role(facts, facts.user, wanted.name):
        return Step(change, Status.CREATE if first else Status.CHANGE)
    who = _alterers(facts, facts.roles[wanted.name])
    return forbidden(change, facts, missing=f"the right to alter role {wanted.name}", who=who)


def decide_membership(wanted: GrantRole, facts: Facts) -> Step:
    """The member is in the role, with its privileges or by SET ROLE."""
    for role in (wanted.role, wanted.member):
        if role not in facts.roles:
            return missing_role(wanted, role)
    pair = (wanted.role, wanted.member)
    if any((m.role, m.member) == pair and (m.inherits or m.sets) for m in facts.memberships):
        return there(wanted)
    if may_grant_role(facts, facts.user, wanted.role):
        return Step(wanted, Status.CREATE)
    if facts.major >= 16 or facts.roles[wanted.role].superuser:
        return forbidden(
            wanted,
            facts,
            missing=f"ADMIN OPTION on role {wanted.role}",
            who=f"a superuser or a role with ADMIN OPTION on {wanted.role}",
        )
    return forbidden(wanted, facts, missing="CREATEROLE", who=_CREATORS)


def _alterers(facts: Facts, role: Role) -> str:
    if role.superuser:
        return "a superuser"
    return (
        f"a superuser or a role with CREATEROLE and ADMIN OPTION on {role.name}"
        if facts.major >= 16
        else _CREATORS
    )
