from __future__ import annotations

from dataclasses import replace

import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import GrantSettings, RoleSettings, SetupSettings
from howdah.provision.apply import SetupIncomplete, apply_setup, read_plan
from howdah.provision.changes import On
from howdah.provision.request import SetupRequest
from howdah.provision.steps import Status
from integration.provision.conftest import Place


def role_with(place: Place, attributes: str) -> DatabaseConfig:
    name = place.name("admin")
    place.run(f"CREATE ROLE \"{name}\" LOGIN PASSWORD 'pw' {attributes}")
    return replace(place.server.address, user=name, password=Secret("pw"))


def whole_setup(place: Place) -> SetupSettings:
    group, reader = place.name("group"), place.name("reader")
    return SetupSettings(
        schemas=("app",),
        extensions=("pg_trgm",),
        roles=(
            RoleSettings(group, login=False),
            RoleSettings(reader, member_of=(group,), connection_limit=5),
        ),
        grants=(
            GrantSettings(group, ("CONNECT",), "database"),
            GrantSettings(group, ("USAGE",), "schema app"),
            GrantSettings(group, ("ALL",), "all tables in schema app", future=True),
            GrantSettings(group, ("EXECUTE",), "all functions in schema public", future=True),
        ),
    )


def test_createrole_and_createdb_are_enough_for_a_whole_setup(place: Place) -> None:
    request = replace(
        place.request(place.address(), whole_setup(place)), admin=role_with(place, "CREATEROLE CREATEDB")
    )
    assert apply_setup(request).is_complete
    assert not read_plan(request).pending
    assert not read_plan(replace(request, admin=place.server.address)).pending


def test_a_role_without_rights_gets_the_statements_that_do_it(place: Place) -> None:
    request = replace(place.request(place.address(), whole_setup(place)), admin=role_with(place, ""))
    plan = read_plan(request)
    assert {step.status for step in plan.steps} == {Status.BLOCKED}
    whys = " ".join(step.blocked.why for step in plan.blocked if step.blocked)
    assert "CREATEROLE" in whys
    with pytest.raises(SetupIncomplete) as raised:
        apply_setup(request)
    assert not raised.value.result.done


def test_the_statements_for_a_dba_lead_to_a_finished_setup(place: Place) -> None:
    request = replace(place.request(place.address(), whole_setup(place)), admin=role_with(place, ""))
    for _ in range(5):  # what waits for a role or the database is named when that is there
        blocked = read_plan(request).blocked
        for step in blocked:
            assert step.blocked is not None
            if step.blocked.code == "missing-privilege" and step.blocked.statement:
                statement = step.blocked.statement.partition(" PASSWORD :")[0]
                inside = step.change.on is On.DATABASE
                place.run(statement, database=request.database if inside else "postgres")
            elif step.blocked.code == "extension-not-permitted":
                place.run(step.blocked.statement or "", database=request.database)
    assert {step.status for step in read_plan(request).steps} == {Status.THERE}


def test_without_createdb_the_database_alone_is_blocked(place: Place) -> None:
    request = replace(place.request(place.address()), admin=role_with(place, "CREATEROLE"))
    with pytest.raises(SetupIncomplete) as raised:
        apply_setup(request)
    (problem,) = raised.value.result.problems
    assert problem.code == "missing-privilege"
    assert "CREATEDB" in (problem.why or "")
    assert f'CREATE DATABASE "{request.database}" OWNER' in (problem.fix or "")


def test_the_applications_own_role_does_what_an_owner_may(place: Place) -> None:
    address = place.address()
    apply_setup(place.request(address))
    setup = SetupSettings(schemas=("app",), extensions=("pg_trgm",))
    request = SetupRequest(place.request(address, setup).settings, address, environ={})
    assert {step.change.what for step in apply_setup(request).done} == {"schema", "extension"}


def test_an_untrusted_extension_is_not_permitted_to_an_owner(place: Place) -> None:
    address = place.address()
    apply_setup(place.request(address))
    setup = SetupSettings(extensions=("pg_stat_statements",))
    request = SetupRequest(place.request(address, setup).settings, address, environ={})
    codes = {step.blocked.code: step for step in read_plan(request).blocked if step.blocked}
    step = codes["extension-not-permitted"]
    assert step.blocked is not None
    assert step.blocked.statement == 'CREATE EXTENSION IF NOT EXISTS "pg_stat_statements"'
    assert "superuser" in step.blocked.fix


def test_a_trusted_extension_needs_create_on_the_database(place: Place) -> None:
    address = place.address()
    place.run(f'CREATE DATABASE "{address.database}"')
    apply_setup(place.request(address))
    setup = SetupSettings(extensions=("pg_trgm",))
    request = SetupRequest(place.request(address, setup).settings, address, environ={})
    (step,) = read_plan(request).blocked
    assert step.blocked is not None
    assert "CREATE on database" in step.blocked.why
    place.run(f'GRANT CREATE ON DATABASE "{address.database}" TO "{address.user}"')
    assert apply_setup(request).is_complete


def test_a_managed_services_administrator_is_let_try_and_the_refusal_told(place: Place) -> None:
    place.made.append("rds_superuser")
    place.run("CREATE ROLE rds_superuser")
    admin = role_with(place, "CREATEROLE CREATEDB IN ROLE rds_superuser")
    request = place.request(place.address(), SetupSettings(extensions=("file_fdw",)))
    request = replace(request, admin=admin)
    assert "Amazon RDS" in read_plan(request).server
    with pytest.raises(SetupIncomplete) as raised:
        apply_setup(request)
    assert {problem.code for problem in raised.value.result.problems} == {"extension-not-permitted"}


def test_a_password_nobody_may_read_is_set_only_on_request(place: Place) -> None:
    address = place.address(password="before")
    admin = role_with(place, "CREATEROLE CREATEDB")
    apply_setup(replace(place.request(address), admin=admin))
    after = replace(place.request(replace(address, password=Secret("after"))), admin=admin)
    plan = read_plan(after)
    assert not plan.pending
    assert "--set-passwords" in plan.steps[0].note
    assert [step.change.what for step in apply_setup(replace(after, set_passwords=True)).done] == ["password"]
    with connect(after.address):
        pass


def test_another_roles_objects_are_not_ours_to_grant(place: Place) -> None:
    address = place.address()
    apply_setup(place.request(address))
    place.run("CREATE TABLE public.foreign_made (id int)", database=address.database)
    group = place.name("group")
    place.run(f'CREATE ROLE "{group}"')
    setup = SetupSettings(
        roles=(RoleSettings(group, login=False),),
        grants=(GrantSettings(group, ("SELECT",), "all tables in schema public"),),
    )
    request = SetupRequest(place.request(address, setup).settings, address, environ={})
    (step,) = read_plan(request).blocked
    assert step.blocked is not None
    assert step.blocked.code == "missing-privilege"
    place.run(step.blocked.statement or "", database=address.database)
    assert not read_plan(request).blocked


def test_a_superuser_role_is_not_altered_by_others(place: Place) -> None:
    address = place.address(password="before")
    place.run(f'CREATE ROLE "{address.user}" SUPERUSER NOLOGIN')
    request = replace(place.request(address), admin=role_with(place, "CREATEROLE CREATEDB"))
    (role, *_) = read_plan(request).blocked
    assert role.blocked is not None
    assert role.blocked.statement == f'ALTER ROLE "{address.user}" LOGIN'
