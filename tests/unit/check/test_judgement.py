"""What the rules say of effects made by hand: each bad verdict is explained, and none twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from howdah.check.judgement import judge_keys, judge_step
from howdah.check.report import RuleFinding, StatementReport
from howdah.check.rules import BLOCKING, RULES
from howdah.check.rules.rule import ForeignKey
from howdah.migrate.migration import Direction, Migration, Step
from howdah.observe.effect import Change, ChangeKind, Effect, Lock, Work, WorkKind
from howdah.observe.verdict import Verdict, judge
from howdah.pg.locks import LockMode
from howdah.rehearse.observed import ObservedStatement, ObservedStep

FILE = Path("migrations/7_x.up.sql")
AE, SRE, SHARE = LockMode.ACCESS_EXCLUSIVE, LockMode.SHARE_ROW_EXCLUSIVE, LockMode.SHARE
USERS = "public.users"


def step(*statements: tuple[str, Effect], transactional: bool = True) -> ObservedStep:
    return ObservedStep(
        Step(Migration("7", "x", FILE), Direction.UP, "6", "7"),
        transactional,
        tuple(ObservedStatement(n, n, text, effect) for n, (text, effect) in enumerate(statements, 1)),
        None,
        0.0,
    )


def effect(*locks: Lock, work: tuple[Work, ...] = (), changes: tuple[Change, ...] = ()) -> Effect:
    return Effect(taken=locks, held=locks, work=work, changes=changes)


def judged(text: str, seen: Effect) -> StatementReport:
    return judge_step(step((text, seen))).statements[0]


def only(found: tuple[RuleFinding, ...]) -> RuleFinding:
    assert len(found) == 1, [each.finding.code for each in found]
    return found[0]


def test_an_index_build_is_told_with_its_table_its_lock_and_its_line() -> None:
    seen = effect(Lock(USERS, SHARE), work=(Work(WorkKind.INDEX_BUILD, USERS, "public.users_email"),))
    found = only(judged("CREATE INDEX users_email ON users (email)", seen).findings)
    assert found.finding.code == "index-build-blocks-writes"
    assert found.finding.message == "nobody can write public.users while public.users_email is built"
    assert (
        found.finding.why == "It was seen to hold SHARE on public.users"
        " through an index build of public.users_email."
    )
    assert str(found.finding.where) == f"{FILE}:1"
    assert found.verdict is Verdict.UNSAFE


def test_ddl_inside_do_is_named_by_what_it_did() -> None:
    retyped = (Change(ChangeKind.RETYPED, "column", "public.users.id", "bigint"),)
    seen = effect(Lock(USERS, AE), work=(Work(WorkKind.REWRITE, USERS),), changes=retyped)
    found = only(judged("DO $$ BEGIN EXECUTE 'ALTER ...'; END $$", seen).findings)
    assert found.finding.code == "column-type-rewrites-table"
    assert "public.users.id to bigint" in found.finding.message


def test_work_under_the_lock_of_an_earlier_statement_is_told_with_that_statement() -> None:
    scan = Effect(
        taken=(Lock(USERS, LockMode.SHARE_UPDATE_EXCLUSIVE, 2),),
        held=(Lock(USERS, AE, 1),),
        work=(Work(WorkKind.SCAN, USERS),),
    )
    text = "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0) NOT VALID"
    reports = judge_step(
        step((text, effect(Lock(USERS, AE))), ("ALTER TABLE users VALIDATE CONSTRAINT c", scan))
    ).statements
    found = only(reports[1].findings)
    assert found.finding.code == "lock-held-across-work"
    assert found.finding.why is not None
    assert text[:40] in found.finding.why


def test_foreign_key_is_told_by_its_locks() -> None:
    seen = effect(
        Lock(USERS, SRE),
        Lock("public.orgs", SRE),
        work=(Work(WorkKind.SCAN, USERS), Work(WorkKind.SCAN, "public.orgs")),
    )
    found = only(
        judged("ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (org) REFERENCES orgs", seen).findings
    )
    assert found.finding.code == "foreign-key-scan-blocks"
    assert found.finding.message.startswith("nobody can write public.orgs and public.users while")


def test_brief_statements_of_a_migration_share_one_note() -> None:
    brief = effect(Lock(USERS, AE))
    result = judge_step(step(*[(f"ALTER TABLE users ADD COLUMN c{n} int", brief) for n in range(4)]))
    assert all(not each.findings for each in result.statements)
    assert [each.finding.code for each in result.findings] == ["waits-for-locks"]


def test_a_foreign_key_without_index_is_told_where_its_own_table_gets_it() -> None:
    made = "CREATE TABLE boards (id int PRIMARY KEY, created_by int REFERENCES users)"
    child = "CREATE TABLE board_columns (id int, created_by int REFERENCES boards)"
    steps = [judge_step(step((made, Effect()))), judge_step(step((child, Effect())))]
    key = ForeignKey(1, "boards_created_by_fkey", "public.boards", ("created_by",), "public.users")
    assert [len(each.findings) for each in judge_keys(steps, [key])] == [1, 0]


def test_a_weight_is_told_behind_the_reason() -> None:
    seen = effect(Lock(USERS, AE), work=(Work(WorkKind.REWRITE, USERS),))
    said = judge_step(
        step(("VACUUM FULL users", seen)), weigh=lambda _: (Verdict.UNSAFE, "About 40 to 63 s in production.")
    )
    why = only(said.statements[0].findings).finding.why
    assert why is not None
    assert why.endswith("About 40 to 63 s in production.")


def test_what_is_small_in_production_is_no_more_than_brief() -> None:
    seen = effect(Lock(USERS, AE), work=(Work(WorkKind.REWRITE, USERS),))
    said = judge_step(step(("VACUUM FULL users", seen)), weigh=lambda _: (Verdict.BRIEF, ""))
    assert said.statements[0].verdict is Verdict.BRIEF
    assert not said.statements[0].findings
    assert [each.finding.code for each in said.findings] == ["waits-for-locks"]


def test_names_of_rules_are_unique_and_kebab_case() -> None:
    names = [each.name for each in RULES]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and "-" in name and " " not in name for name in names)


_RELATIONS = st.sampled_from([USERS, "public.orgs"])
_LOCKS = st.lists(st.builds(Lock, _RELATIONS, st.sampled_from(LockMode)), max_size=3).map(tuple)
_CHANGES = st.builds(
    Change,
    st.sampled_from(ChangeKind),
    st.sampled_from(["table", "column", "view", "function", "index", "constraint", "type", "sequence"]),
    st.sampled_from(["a", "b.c"]),
    st.sampled_from(["", "new"]),
    st.booleans(),
)
_EFFECTS = st.builds(
    lambda taken, inherited, work, changes, error: Effect(
        taken=taken,
        held=(*taken, *inherited),
        work=work,
        changes=changes,
        error=error,
        sqlstate="42601" * bool(error),
    ),
    _LOCKS,
    _LOCKS,
    st.lists(st.builds(Work, st.sampled_from(WorkKind), _RELATIONS), max_size=3).map(tuple),
    st.lists(_CHANGES, max_size=3).map(tuple),
    st.sampled_from(["", "", "", "boom"]),
)
_TEXTS = st.sampled_from(
    [
        "ALTER TABLE users ADD COLUMN a uuid DEFAULT gen_random_uuid()",
        "ALTER TABLE users ALTER COLUMN a SET NOT NULL",
        "CREATE INDEX i ON users (a)",
        "DO $$ BEGIN END $$",
        "REFRESH MATERIALIZED VIEW v",
        "unreadable 'text",
        "",
    ]
)


@given(_TEXTS, _EFFECTS)
def test_every_bad_verdict_is_explained_once(text: str, seen: Effect) -> None:
    verdict = judge(seen)
    found = judged(text, seen).findings
    if verdict.rank >= Verdict.BREAKING.rank:
        assert verdict in {each.verdict for each in found}
    else:
        assert not found
    assert max((each.verdict.rank for each in found), default=verdict.rank) == verdict.rank
    codes = Counter(each.finding.code for each in found)
    assert all(count == 1 for count in codes.values())
    assert sum(codes[rule.name] for rule in BLOCKING) == (verdict is Verdict.UNSAFE)
    for each in seen.changes if verdict is not Verdict.FAILS else ():
        if judge(Effect(changes=(each,))).rank >= Verdict.BREAKING.rank:
            assert sum(each.name in one.finding.message for one in found) >= 1
