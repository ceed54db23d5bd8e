"""Planning on the facts that a complete run leaves gives nothing to do, whatever was there and is wanted."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import DatabaseSettings, GrantSettings, RoleSettings, SetupSettings
from howdah.provision.evolve import evolve, fresh_inside
from howdah.provision.facts import Database, Extension, Facts, Inside, Membership, Objects, Role
from howdah.provision.grants import PRIVILEGES, Kind
from howdah.provision.plan import plan_setup
from howdah.provision.script import as_superuser, write_script
from howdah.provision.steps import Policy, SetupPlan

NAMES = ["app", "Owner", 'q"x', "naïve", "r w", "admin"]
ROLES = st.sampled_from(NAMES)
SCHEMAS = st.sampled_from(["public", "App", "s 2"])
EXTENSIONS = st.sampled_from(["uuid-ossp", "vector", "pg_cron", "pg_stat_statements", "vector >= 0.9"])


@st.composite
def grants(draw: st.DrawFn) -> GrantSettings:
    kind = draw(st.sampled_from(Kind))
    some = st.lists(st.sampled_from(PRIVILEGES[kind][:7]), min_size=1, max_size=3, unique=True)
    privileges = tuple(draw(st.one_of(some, st.just(["ALL"]))))
    schema = draw(SCHEMAS)
    if kind is Kind.DATABASE:
        on = "database"
    elif kind is Kind.SCHEMA:
        on = f"schema {schema}"
    else:
        on = f"all {kind.value.lower()} in schema {schema}"
    future = draw(st.booleans()) and on.startswith("all")
    return GrantSettings(draw(ROLES | st.just("public")), privileges, on, future)


@st.composite
def setups(draw: st.DrawFn) -> SetupSettings:
    names = draw(st.lists(ROLES, unique=True, max_size=4))
    roles = []
    for index, name in enumerate(names):  # members of earlier ones only: no circles
        groups = draw(st.lists(st.sampled_from(names[:index]), unique=True, max_size=2)) if index else []
        limit = draw(st.sampled_from([None, -1, 7]))
        roles.append(
            RoleSettings(name, login=draw(st.booleans()), member_of=tuple(groups), connection_limit=limit)
        )
    return SetupSettings(
        owner=draw(st.none() | ROLES),
        schemas=tuple(draw(st.lists(st.sampled_from(["App", "s 2"]), unique=True))),
        extensions=tuple(draw(st.lists(EXTENSIONS, unique=True, max_size=3))),
        roles=tuple(roles),
        grants=tuple(draw(st.lists(grants(), max_size=4))),
    )


@st.composite
def servers(draw: st.DrawFn) -> Facts:
    me = draw(st.sampled_from(["admin", "postgres", "app"]))
    names = {*draw(st.lists(ROLES, unique=True)), me}
    flag = st.booleans()
    roles = {
        name: Role(name, draw(flag), draw(flag) and name == me, draw(flag), draw(flag), draw(flag))
        for name in sorted(names)
    }
    pairs = [(a, b) for a in sorted(names) for b in sorted(names) if a < b]
    some = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=3)) if pairs else []
    memberships = frozenset(Membership(a, b, draw(flag), draw(flag), draw(flag)) for a, b in some)
    major = draw(st.integers(14, 18))
    facts = Facts(
        major * 10000,
        me,
        roles,
        memberships,
        verifiers=draw(st.none() | st.just({})),
        extensions={
            name: Extension(
                name, version, trusted=draw(flag), requires=("uuid-ossp",) if name == "vector" else ()
            )
            for name, version in [("uuid-ossp", "1.1"), ("vector", "0.10"), ("pg_cron", "1.6")]
            if draw(flag)
        },
        preloaded=draw(st.sampled_from([None, (), ("pg_cron",)])),
    )
    if not draw(flag):
        return facts
    owner = draw(st.sampled_from(sorted(names)))
    held = frozenset(draw(st.lists(st.tuples(ROLES, st.sampled_from(["CREATE", "CONNECT"])), max_size=3)))
    inside = fresh_inside(major)
    objects = {("public", Kind.TABLES): Objects(3, frozenset({owner}), {("app", "SELECT"): 2})}
    inside = Inside(inside.schemas, objects, installed={"vector": "0.8"} if draw(flag) else {})
    database = Database("kaimu", owner, grants=held)
    closed = draw(flag)
    return Facts(
        **{
            **facts.__dict__,
            "database": database,
            "inside": None if closed else inside,
            "closed": "no" if closed else None,
        }
    )


def make_plan(facts: Facts, setup: SetupSettings) -> SetupPlan:
    address = DatabaseConfig(user="app", database="kaimu", password=Secret("pw"))
    policy = Policy(passwords={"app": Secret("pw")})
    return plan_setup(DatabaseSettings("it", setup=setup), address, facts, policy=policy)


def run(facts: Facts, setup: SetupSettings) -> Facts:
    """As apply_setup does: plan and do, until a plan has nothing to do; a step may open the way for one before."""
    for _ in range(3):
        for step in make_plan(facts, setup).pending:
            facts = evolve(step.change, facts)
    return facts


@settings(max_examples=80, deadline=None)
@given(servers(), setups())
def test_after_a_run_nothing_is_left_that_was_to_do(facts: Facts, setup: SetupSettings) -> None:
    assert make_plan(run(facts, setup), setup).pending == ()


@settings(max_examples=40, deadline=None)
@given(servers(), setups())
def test_a_superusers_plan_needs_one_round(facts: Facts, setup: SetupSettings) -> None:
    facts = as_superuser(facts)
    for step in make_plan(facts, setup).pending:
        facts = evolve(step.change, facts)
    assert make_plan(facts, setup).pending == ()


@settings(max_examples=40, deadline=None)
@given(servers(), setups())
def test_a_superuser_is_blocked_only_by_the_host_and_by_what_nobody_declared(
    facts: Facts, setup: SetupSettings
) -> None:
    found = make_plan(as_superuser(facts), setup)
    hosts = {"extension-not-installed", "extension-not-preloaded", "extension-too-old"}
    codes = {step.blocked.code for step in found.blocked if step.blocked}
    assert codes <= hosts | {"missing-role", "missing-object"}


@settings(max_examples=40, deadline=None)
@given(servers(), setups())
def test_every_pending_step_is_in_the_script_and_no_password_is(facts: Facts, setup: SetupSettings) -> None:
    found = make_plan(as_superuser(facts), setup)
    script = write_script(found, setup)
    assert all(step.change.sql in script for step in found.pending if step.change.what != "membership")
    assert "'pw'" not in script


@settings(max_examples=40, deadline=None)
@given(servers(), setups())
def test_a_blocked_step_always_says_why_and_what_to_do(facts: Facts, setup: SetupSettings) -> None:
    for step in make_plan(facts, setup).blocked:
        assert step.blocked is not None
        assert step.blocked.why.endswith((".", "!"))
        assert step.finding.fix
