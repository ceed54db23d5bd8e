"""Every statement of the golden matrix that does harm is explained by rules, on this server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

import effect_observed
from effect_cases import Case, Expected, Theme, read_themes
from effect_databases import Databases
from effect_observed import Observed
from fix_server import RunningServer
from howdah.check.judgement import Judged, judge_step
from howdah.check.rules import BLOCKING
from howdah.migrate.migration import Direction, Migration, Step
from howdah.observe.effect import Effect
from howdah.observe.verdict import Verdict
from howdah.pg.statements import split_script
from howdah.rehearse.observed import ObservedStatement, ObservedStep

# What has no rule of its own: how the case's last statement begins.
NAMELESS = (
    "ALTER TABLE notes ALTER COLUMN doubled SET EXPRESSION",
    "ALTER TABLE posts ALTER CONSTRAINT posts_org ENFORCED",
    "ALTER INDEX users_org SET TABLESPACE",
    "ALTER TABLE users SET TABLESPACE",
    "ALTER TABLE users SET ACCESS METHOD",
    "ALTER TABLE alike SET UNLOGGED",
    "ALTER TABLE scratch SET LOGGED",
    "DO $$",
)


@pytest.fixture
def observed(server: RunningServer) -> Iterator[Observed]:
    databases = Databases(make_conninfo(**server.address.conninfo()), rows=0)
    try:
        with Observed(databases) as found:
            yield found
    finally:
        databases.drop_all()


def judged(theme: Theme, case: Case, observed: Observed, monkeypatch: pytest.MonkeyPatch) -> Judged:
    effects: list[Effect] = []
    tell = effect_observed.tell

    def note(effect: Effect) -> Expected:
        effects.append(effect)
        return tell(effect)

    with monkeypatch.context() as patch:
        patch.setattr(effect_observed, "tell", note)
        observed.observe(theme, case)
    statements = tuple(
        ObservedStatement(number, each.line, each.text, effect)
        for number, (each, effect) in enumerate(zip(split_script(case.sql), effects, strict=False), 1)
    )
    step = Step(Migration("7", "x", Path("7_x.up.sql")), Direction.UP, "6", "7")
    return judge_step(ObservedStep(step, case.transactional, statements, None, 0.0))


def test_what_does_harm_is_explained_and_what_blocks_by_one_rule(
    server: RunningServer, observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocking = {each.name for each in BLOCKING}
    wrong = []
    for theme in read_themes():
        for case in theme.cases:
            if server.major not in case.majors:
                continue
            for each in judged(theme, case, observed, monkeypatch).statements:
                codes = [found.finding.code for found in each.findings]
                is_harmful = each.verdict.rank >= Verdict.BREAKING.rank
                is_told = each.verdict in {found.verdict for found in each.findings}
                one_blocks = sum(code in blocking for code in codes) == (each.verdict is Verdict.UNSAFE)
                is_named = "blocks-for-long" not in codes or each.text.startswith(NAMELESS)
                if is_harmful != is_told or not (one_blocks and is_named):
                    wrong.append(f"{each.verdict.value}: {each.text}: {codes}")
    assert not wrong, "\n".join(wrong)
