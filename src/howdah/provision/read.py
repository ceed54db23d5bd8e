"""Read the facts a plan is made from: a handful of queries, nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from howdah.config.database import Secret
from howdah.errors import RefusedError, UnsupportedError
from howdah.pg.queries import load_queries
from howdah.pg.version import OLDEST_MAJOR, version_of_number
from howdah.provision.facts import (
    Database,
    DefaultGrant,
    Extension,
    Facts,
    Grants,
    Inside,
    Membership,
    Objects,
    Role,
    Schema,
)
from howdah.provision.grants import Kind
from howdah.provision.sessions import Sessions

_QUERIES = Path(__file__).with_name("queries.sql")
_NOT_PRELOADED = "55000"

Rows = list[dict[str, Any]]


def read_facts(
    sessions: Sessions,
    *,
    database: str,
    extensions: Sequence[str] = (),
    schemas: Sequence[str] = ("public",),
    grantees: Sequence[str] = (),
) -> Facts:
    """The facts about one database, as far as the sessions let us see.

    Raises:
        RefusedError: the server takes no writes: a replica, or set to read only.
        UnsupportedError: the server is older than PostgreSQL 14.
    """
    session = sessions.server
    server = _rows(session, "server")[0]
    _refuse(server)
    memberships = "memberships_since_16" if server["version_number"] >= 160000 else "memberships"
    roles = {row["name"]: Role(**row) for row in _rows(session, "roles")}
    found = _rows(session, "database", database=database)
    inside = sessions.inside
    offered, installed = _read_extensions(session, extensions)
    return Facts(
        version_number=server["version_number"],
        user=server["user_name"],
        roles=roles,
        memberships=frozenset(Membership(**row) for row in _rows(session, memberships)),
        verifiers=_read_verifiers(session, list(grantees)) if server["reads_passwords"] else None,
        database=Database(**{**found[0], "grants": _grants(found[0])}) if found else None,
        inside=_read_inside(inside, list(schemas), list(grantees), installed) if inside else None,
        closed=sessions.closed,
        extensions=offered,
        preloaded=_libraries(server["preloaded"]),
    )


def _refuse(server: Mapping[str, Any]) -> None:
    version = version_of_number(server["version_number"])
    if version.major < OLDEST_MAJOR:
        raise UnsupportedError(
            f"the server is PostgreSQL {version}",
            why=f"howdah sets up PostgreSQL {OLDEST_MAJOR} and later.",
            fix="Upgrade the server.",
        )
    if server["in_recovery"]:
        raise RefusedError(
            "this server is a read-only replica",
            code="read-only-server",
            why="It follows its primary; roles, databases and grants arrive from there.",
            fix="Give the primary's address; of several hosts, target_session_attrs=read-write finds it.",
        )
    if server["read_only"]:
        raise RefusedError(
            "this server takes no writes: default_transaction_read_only is on",
            code="read-only-server",
            why="An administrator or the service has set it so, for instance because its disk is full.",
            fix="Turn it off for the role that sets up, or give another address.",
        )


def _rows(session: psycopg.Connection, name: str, **values: object) -> Rows:
    """The rows of a named query."""
    with session.cursor(row_factory=dict_row) as cursor:
        # always with values: `%%` in queries.sql means one percent sign
        return cursor.execute(load_queries(_QUERIES)[name], values).fetchall()


def _grants(row: Mapping[str, Any]) -> Grants:
    return frozenset((grantee, privilege) for grantee, privilege in row["grants"])


def _libraries(setting: str | None) -> tuple[str, ...] | None:
    if setting is None:
        return None
    names = (name.strip().strip('"') for name in setting.split(","))
    return tuple(name.removeprefix("$libdir/") for name in names if name)


def _read_verifiers(session: psycopg.Connection, names: list[str]) -> dict[str, Secret | None]:
    rows = _rows(session, "verifiers", names=names)
    return {row["name"]: Secret(row["verifier"]) if row["verifier"] else None for row in rows}


def _read_extensions(
    session: psycopg.Connection, names: Sequence[str]
) -> tuple[dict[str, Extension], dict[str, str]]:
    if not names:  # reading every control file on the host takes longer than all else
        return {}, {}
    rows = _rows(session, "extensions", extensions=list(names))
    versions = {row["name"]: row.pop("installed_version") for row in rows}
    offered = {row["name"]: Extension(**{**row, "requires": tuple(row["requires"])}) for row in rows}
    return offered, {name: version for name, version in versions.items() if version is not None}


def _read_inside(
    session: psycopg.Connection, schemas: list[str], grantees: list[str], installed: Mapping[str, str]
) -> Inside:
    found = _rows(session, "schemas", schemas=schemas)
    return Inside(
        schemas={row["name"]: Schema(row["name"], row["owner"], _grants(row)) for row in found},
        objects=_read_objects(session, schemas, grantees),
        defaults=frozenset(
            DefaultGrant(**{**row, "kind": Kind(row["kind"])})
            for row in _rows(session, "defaults", schemas=schemas)
        ),
        installed=installed,
        statements_work="pg_stat_statements" not in installed or _statements_work(session),
    )


def _read_objects(
    session: psycopg.Connection, schemas: list[str], grantees: list[str]
) -> dict[tuple[str, Kind], Objects]:
    found = _rows(session, "objects", schemas=schemas)
    held = _rows(session, "object_grants", schemas=schemas, grantees=[*grantees, "public"])
    objects = {}
    for key in {(row["schema"], row["kind"]) for row in found}:
        mine = [row for row in found if (row["schema"], row["kind"]) == key]
        objects[key[0], Kind(key[1])] = Objects(
            total=sum(row["total"] for row in mine),
            owners=frozenset(row["owner"] for row in mine),
            granted={
                (row["grantee"], row["privilege"]): row["total"]
                for row in held
                if (row["schema"], row["kind"]) == key
            },
        )
    return objects


def _statements_work(session: psycopg.Connection) -> bool:
    statement = _rows(session, "statements_work")[0]["statement"]
    try:
        session.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate != _NOT_PRELOADED
    return True
