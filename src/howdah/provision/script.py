"""A plan as a psql script for somebody else to run: idempotent, and without passwords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from howdah.config.project import SetupSettings
from howdah.pg.identifiers import quote_identifier, quote_literal
from howdah.provision.changes import Change, CreateDatabase, CreateRole, GrantRole, On
from howdah.provision.evolve import fresh_inside
from howdah.provision.facts import Facts, Role
from howdah.provision.steps import SetupPlan, Step, password_variable

_HEAD = """\
-- Sets up {target}.
-- For a superuser, or a role with CREATEROLE and CREATEDB where no step needs more:
--     psql -X -d postgres -f FILE
-- It may run again at any time: what is there is left alone. It stops at the first error.
\\set ON_ERROR_STOP on
SET client_encoding = 'UTF8';
SELECT rolsuper AS is_superuser FROM pg_catalog.pg_roles WHERE rolname = current_user \\gset
"""
_PASSWORDS = """
-- Passwords are not in this script: psql reads them from its environment. In the shell, before psql:
--     read -rs {environment} && export {environment}
-- The server's log does not get them where a superuser runs this; others use \\password afterwards.
\\if :is_superuser
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
\\endif
"""
_READ_VARIABLE = """\
\\if :{{?{variable}}}
\\else
\\set {variable} `printf '%s' "${environment}"`
\\endif
SELECT :'{variable}' = '' AS is_missing \\gset
\\if :is_missing
DO $$BEGIN RAISE EXCEPTION 'the environment variable {environment} is not set'; END$$;
\\endif
"""


def as_superuser(facts: Facts) -> Facts:
    """The same facts for somebody who may do everything, and enter every database."""
    inside = facts.inside or (fresh_inside(facts.major) if facts.database else None)
    roles = {**facts.roles, "": Role("", superuser=True)}
    return replace(facts, user="", roles=roles, inside=inside, closed=None)


def write_script(plan: SetupPlan, settings: SetupSettings) -> str:
    """The script that does what is left of a plan made on `as_superuser` facts."""
    variables = _name_variables(plan, settings)
    parts = [_HEAD.format(target=plan.target.target)]
    if variables:
        parts.append(_PASSWORDS.format(environment=" ".join(name for _, name in variables.values())))
        parts += [_READ_VARIABLE.format(variable=v, environment=e) for v, e in variables.values()]
    passwords = {role: variable for role, (variable, _) in variables.items()}
    parts += [_write_step(step, passwords) for step in plan.steps if step.change.on is On.SERVER]
    inside = [_write_step(step, passwords) for step in plan.steps if step.change.on is On.DATABASE]
    if any(inside):
        # as a connection string, for a bare name with = in it would be taken for one
        conninfo = "dbname='" + plan.target.database.replace("\\", "\\\\").replace("'", "\\'") + "'"
        parts.append(
            f"\n-- In the database itself.\n\\connect -reuse-previous=on {quote_identifier(conninfo)}\n"
        )
        parts += inside
    if not plan.pending:
        parts.append("\n-- Nothing is left to do.\n")
    return "".join(parts)


def _name_variables(plan: SetupPlan, settings: SetupSettings) -> dict[str, tuple[str, str]]:
    """Role -> its psql variable and its environment variable, for the roles that get a password."""
    named = {role.name: role.password_env for role in settings.roles}
    variables: dict[str, tuple[str, str]] = {}
    for step in plan.pending:
        role = step.change.wants_password
        if role is not None:
            variable = password_variable(role)
            while any(variable == taken for taken, _ in variables.values()):
                variable += "_"
            own = (
                f"_{variable}" if variable[0].isdigit() else variable
            )  # no shell lets one begin with a digit
            variables[role] = (variable, named.get(role) or own.upper())
    return variables


def _write_step(step: Step, passwords: Mapping[str, str]) -> str:
    if step.blocked:
        return (
            f"\n-- NOT DONE HERE: {step.change.what} {step.change.subject}.\n-- {step.blocked.why} {step.blocked.fix}\n"
            + (f"--     {step.blocked.statement};\n" if step.blocked.statement else "")
        )
    if not step.is_pending:
        return ""
    change = step.change
    title = f"\n-- {change.what} {change.subject}: {change.says}\n"
    return title + "".join(_write_change(change, passwords))


def _write_change(change: Change, passwords: Mapping[str, str]) -> Iterator[str]:
    statement = change.sql
    if change.wants_password:
        statement += f" PASSWORD :'{passwords[change.wants_password]}'"
    match change:
        case CreateRole():
            yield _unless_there("pg_roles", "rolname", change.name, statement)
        case CreateDatabase():
            if change.owner:
                yield _join(change.owner)
            yield _unless_there("pg_database", "datname", change.name, statement)
        case GrantRole(assists=True):
            yield _join(change.role)
        case _:
            yield f"{statement};\n"


def _unless_there(catalog: str, column: str, name: str, statement: str) -> str:
    found = f"SELECT FROM pg_catalog.{catalog} WHERE {column} = {quote_literal(name)}"
    return f"SELECT NOT EXISTS ({found}) AS is_missing \\gset\n\\if :is_missing\n{statement};\n\\endif\n"


def _join(owner: str) -> str:
    """Who is no superuser must be a member of an owner to give it something."""
    member = f"pg_catalog.pg_has_role(current_user, {quote_literal(owner)}, 'USAGE')"
    return (
        f"SELECT NOT {member} AS must_join \\gset\n"
        f"\\if :must_join\nGRANT {quote_identifier(owner)} TO CURRENT_USER;\n\\endif\n"
    )
