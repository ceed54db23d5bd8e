"""What a role may do, computed from facts by PostgreSQL's own rules (user-manag.html), 14 to 18."""

from __future__ import annotations

from collections.abc import Callable

from howdah.provision.changes import PUBLIC
from howdah.provision.facts import Facts, Grants, Membership

# Roles that managed services give to their customers' administrators instead of a superuser.
PROVIDERS = {
    "rds_superuser": "Amazon RDS",
    "cloudsqlsuperuser": "Google Cloud SQL",
    "azure_pg_admin": "Azure Database for PostgreSQL",
    "doadmin": "DigitalOcean",
}
DATABASE_OWNER = "pg_database_owner"


def is_superuser(facts: Facts, role: str) -> bool:
    """Whether the role is a superuser."""
    return role in facts.roles and facts.roles[role].superuser


def provider_of(facts: Facts) -> str | None:
    """The managed service whose server this is, told by the role it made."""
    return next((name for role, name in PROVIDERS.items() if role in facts.roles), None)


def is_provider_admin(facts: Facts, role: str) -> bool:
    """Whether the role has the privileges of a managed service's administrators."""
    return any(name in facts.roles and name in acts_for(facts, role) for name in PROVIDERS)


def acts_for(facts: Facts, role: str) -> frozenset[str]:
    """The roles whose privileges this one has at once (the server's roles_is_member_of, by inheritance)."""
    return _closure(facts, role, lambda membership: membership.inherits)


def has_privileges_of(facts: Facts, role: str, other: str) -> bool:
    """Whether `role` may do what `other` may, without SET ROLE."""
    return is_superuser(facts, role) or other in acts_for(facts, role)


def may_set_role(facts: Facts, role: str, other: str) -> bool:
    """Whether `role` may become `other`; to give something to an owner takes this."""
    return is_superuser(facts, role) or other in _closure(facts, role, lambda membership: membership.sets)


def may_grant_role(facts: Facts, role: str, other: str) -> bool:
    """Whether `role` may make others members of `other`."""
    if is_superuser(facts, role):
        return True
    if is_superuser(facts, other) or other not in facts.roles:
        return False
    if facts.major < 16 and _has(facts, role, "create_role"):
        return True
    mine = _closure(facts, role, lambda _: True)
    return any(m.admin and m.role == other and m.member in mine for m in facts.memberships)


def may_create_roles(facts: Facts, role: str) -> bool:
    """Whether `role` may create roles that are not superusers."""
    return is_superuser(facts, role) or _has(facts, role, "create_role")


def may_alter_role(facts: Facts, role: str, other: str) -> bool:
    """Whether `role` may change the attributes and the password of `other`."""
    if is_superuser(facts, role):
        return True
    if is_superuser(facts, other) or not _has(facts, role, "create_role"):
        return False
    return facts.major < 16 or may_grant_role(facts, role, other)


def may_create_databases(facts: Facts, role: str) -> bool:
    """Whether `role` may create databases."""
    return is_superuser(facts, role) or _has(facts, role, "create_database")


def has_in_effect(facts: Facts, role: str, privilege: str, grants: Grants) -> bool:
    """Whether `role` holds a privilege in any way: itself, through a role it is in, or as everybody."""
    if is_superuser(facts, role):
        return True
    holders = acts_for(facts, role) | {PUBLIC}
    return any((holder, privilege) in grants for holder in holders)


def _has(facts: Facts, role: str, attribute: str) -> bool:
    return role in facts.roles and bool(getattr(facts.roles[role], attribute))


def _closure(facts: Facts, role: str, follows: Callable[[Membership], bool]) -> frozenset[str]:
    found, todo = {role}, [role]
    while todo:
        member = todo.pop()
        groups = [m.role for m in facts.memberships if m.member == member and follows(m)]
        if facts.database and member == facts.database.owner:  # its one, implicit member
            groups.append(DATABASE_OWNER)
        for group in set(groups) - found:
            found.add(group)
            todo.append(group)
    return frozenset(found)
