"""Other ways, run on a real server: which statement gets which steps, and that a bad way is never advised."""

from __future__ import annotations

from pathlib import Path

import pytest

from fix_db import connect
from fix_server import RunningServer
from howdah.check.advice.prove import prove
from howdah.check.advice.recipes import (
    Case,
    Recipe,
    Steps,
    alone,
    alter_table,
    attach_partition,
    concurrent_index,
    concurrent_refresh,
    concurrent_reindex,
)
from howdah.check.report import SafeStep
from howdah.config.database import DatabaseConfig
from howdah.migrate.migration import Direction, Migration, Step
from howdah.observe.effect import Effect
from howdah.observe.verdict import Verdict
from howdah.rehearse.observed import ObservedStatement, ObservedStep
from howdah.rehearse.throwaway import Throwaway

SCHEMA = """
CREATE TABLE orgs (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (id bigint PRIMARY KEY, org_id bigint, email text, age int, created timestamptz);
CREATE TABLE "Odd Names" ("the id" bigint, "order" text);
CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2 (at date NOT NULL, what text);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE MATERIALIZED VIEW counted AS SELECT org_id, count(*) FROM users GROUP BY 1;
CREATE MATERIALIZED VIEW unkeyed AS SELECT org_id FROM users;
CREATE UNIQUE INDEX counted_key ON counted (org_id);
CREATE INDEX users_age ON users (age);
"""


@pytest.fixture
def stand(database: DatabaseConfig) -> DatabaseConfig:
    with connect(database) as connection:
        connection.execute(SCHEMA)
    return database


@pytest.fixture
def throwaway(server: RunningServer) -> Throwaway:
    with connect(server.address) as connection:
        version = connection.info.parameter_status("server_version") or ""
    return Throwaway(server.address, version, is_ours=False)


def proved(
    recipe: Recipe, stand: DatabaseConfig, throwaway: Throwaway, *texts: str, transactional: bool = True
) -> Steps:
    """The steps for the last of these statements."""
    step = ObservedStep(
        Step(Migration("7", "x", Path("7_x.up.sql")), Direction.UP, "6", "7"),
        transactional,
        tuple(ObservedStatement(n, n, text, Effect()) for n, text in enumerate(texts, 1)),
        None,
        0.0,
    )
    return prove(recipe, step, len(texts), stand=stand, throwaway=throwaway)


def texts(steps: Steps) -> list[str]:
    return [" ".join(each.sql.split()) for each in steps]


def test_an_index_is_built_concurrently_outside_a_transaction(
    stand: DatabaseConfig, throwaway: Throwaway
) -> None:
    steps = proved(
        concurrent_index, stand, throwaway, "CREATE UNIQUE INDEX /* why */ IF NOT EXISTS u ON users (email)"
    )
    assert texts(steps) == ["CREATE UNIQUE INDEX CONCURRENTLY /* why */ IF NOT EXISTS u ON users (email);"]
    assert [each.transactional for each in steps] == [False]
    assert steps[0].verdict in (Verdict.SAFE, Verdict.LONG)


def test_an_index_without_a_name_gets_the_same_one(stand: DatabaseConfig, throwaway: Throwaway) -> None:
    assert texts(proved(concurrent_index, stand, throwaway, "CREATE INDEX ON users (email)")) == [
        "CREATE INDEX CONCURRENTLY ON users (email);"
    ]


def test_an_index_of_a_partitioned_table_is_built_by_its_partitions(
    stand: DatabaseConfig, throwaway: Throwaway
) -> None:
    steps = proved(concurrent_index, stand, throwaway, "CREATE INDEX events_what ON events (what)")
    assert texts(steps) == [
        "CREATE INDEX events_what ON ONLY events USING btree (what);",
        "CREATE INDEX CONCURRENTLY events_1_what_idx ON events_1 USING btree (what);",
        "CREATE INDEX CONCURRENTLY events_rest_what_idx ON events_rest USING btree (what);",
        (
            "ALTER INDEX events_what ATTACH PARTITION events_rest_what_idx;"
            " ALTER INDEX events_what ATTACH PARTITION events_1_what_idx;"
        ),
    ]


def test_a_check_is_added_and_then_validated(stand: DatabaseConfig, throwaway: Throwaway) -> None:
    steps = proved(alter_table, stand, throwaway, "ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 17)")
    assert texts(steps) == [
        "ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 17) NOT VALID;",
        "ALTER TABLE users VALIDATE CONSTRAINT grown;",
    ]
    assert [each.verdict for each in steps] == [Verdict.BRIEF, Verdict.LONG]


def test_what_stands_beside_a_constraint_is_kept(stand: DatabaseConfig, throwaway: Throwaway) -> None:
    text = """ALTER TABLE ONLY users -- two things
        ADD COLUMN note text DEFAULT 'a, b' CHECK (note <> ''),
        ADD CHECK (age > 0), ALTER COLUMN age SET DEFAULT 18"""
    steps = proved(alter_table, stand, throwaway, text)
    assert texts(steps) == [
        (
            "ALTER TABLE ONLY users ADD COLUMN note text DEFAULT 'a, b'::text, ALTER COLUMN age SET DEFAULT 18;"
            " ALTER TABLE users ADD CONSTRAINT users_note_check CHECK (note <> ''::text) NOT VALID;"
            " ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age > 0) NOT VALID;"
        ),
        (
            "ALTER TABLE users VALIDATE CONSTRAINT users_note_check;"
            " ALTER TABLE users VALIDATE CONSTRAINT users_age_check;"
        ),
    ]


def test_a_foreign_key_is_added_and_then_validated(stand: DatabaseConfig, throwaway: Throwaway) -> None:
    text = "ALTER TABLE users ADD FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE SET NULL"
    steps = proved(alter_table, stand, throwaway, text)
    assert texts(steps) == [
        (
            "ALTER TABLE users ADD CONSTRAINT users_org_id_fkey FOREIGN KEY (org_id) REFERENCES orgs(id)"
            " ON DELETE SET NULL NOT VALID;"
        ),
        "ALTER TABLE users VALIDATE CONSTRAINT users_org_id_fkey;",
    ]


def test_not_null_is_proved_by_a_constraint(
    stand: DatabaseConfig, throwaway: Throwaway, server: RunningServer
) -> None:
    steps = proved(alter_table, stand, throwaway, "ALTER TABLE users ALTER email SET NOT NULL")
    if server.major >= 18:
        assert texts(steps) == [
            "ALTER TABLE users ADD CONSTRAINT users_email_not_null NOT NULL email NOT VALID;",
            "ALTER TABLE users VALIDATE CONSTRAINT users_email_not_null;",
        ]
    else:
        assert texts(steps) == [
            "ALTER TABLE users ADD CONSTRAINT users_email_is_not_null CHECK (email IS NOT NULL) NOT VALID;",
            "ALTER TABLE users VALIDATE CONSTRAINT users_email_is_not_null;",
            (
                "ALTER TABLE users ALTER COLUMN email SET NOT NULL;"
                " ALTER TABLE users DROP CONSTRAINT users_email_is_not_null;"
            ),
        ]


def test_a_unique_constraint_takes_an_index_that_was_built_before(
    stand: DatabaseConfig, throwaway: Throwaway
) -> None:
    text = 'ALTER TABLE "Odd Names" ADD CONSTRAINT "Once" UNIQUE ("order") DEFERRABLE'
    steps = proved(alter_table, stand, throwaway, text)
    assert texts(steps) == [
        'CREATE UNIQUE INDEX CONCURRENTLY "Once" ON "Odd Names" USING btree ("order");',
        'ALTER TABLE "Odd Names" ADD CONSTRAINT "Once" UNIQUE USING INDEX "Once" DEFERRABLE;',
    ]


def test_a_primary_key_over_a_nullable_column_is_checked_first(
    stand: DatabaseConfig, throwaway: Throwaway
) -> None:
    steps = proved(alter_table, stand, throwaway, 'ALTER TABLE "Odd Names" ADD PRIMARY KEY ("the id")')
    assert len(steps) in (4, 5)
    assert "PRIMARY KEY USING INDEX" in steps[-1].sql
    assert [each.transactional for each in steps].count(False) == 1


def test_a_new_column_with_a_changing_default_is_filled_in_batches(
    stand: DatabaseConfig, throwaway: Throwaway
) -> None:
    text = "ALTER TABLE users ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()"
    steps = proved(alter_table, stand, throwaway, text)
    found = texts(steps)
    assert found[0] == (
        "ALTER TABLE users ADD COLUMN token uuid;"
        " ALTER TABLE users ALTER COLUMN token SET DEFAULT gen_random_uuid();"
    )
    assert "UPDATE users SET token = DEFAULT" in found[1]
    assert "LIMIT 10000" in found[1]
    assert "SET NOT NULL" in found[-1]


def test_a_partition_is_attached_behind_a_check_of_its_bounds(
    stand: DatabaseConfig, throwaway: Throwaway
) -> None:
    text = "ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')"
    steps = proved(attach_partition, stand, throwaway, text)
    assert len(steps) == 3
    assert "ALTER TABLE events_2 ADD CONSTRAINT events_2_bounds CHECK" in steps[0].sql
    assert "ALTER TABLE events_rest ADD CONSTRAINT events_rest_bounds CHECK" in steps[0].sql
    assert "ATTACH PARTITION events_2" in steps[2].sql
    assert steps[2].verdict is Verdict.BRIEF


def test_reindex_says_concurrently(stand: DatabaseConfig, throwaway: Throwaway) -> None:
    assert texts(proved(concurrent_reindex, stand, throwaway, "REINDEX INDEX users_age")) == [
        "REINDEX INDEX CONCURRENTLY users_age;"
    ]


def test_refresh_says_concurrently(stand: DatabaseConfig, throwaway: Throwaway) -> None:
    assert texts(proved(concurrent_refresh, stand, throwaway, "REFRESH MATERIALIZED VIEW counted")) == [
        "REFRESH MATERIALIZED VIEW CONCURRENTLY counted;"
    ]


def test_what_cannot_be_refreshed_concurrently_is_not_advised(
    stand: DatabaseConfig, throwaway: Throwaway
) -> None:
    assert proved(concurrent_refresh, stand, throwaway, "REFRESH MATERIALIZED VIEW unkeyed") == ()


def test_a_statement_alone_is_advised_behind_those_it_shared_a_transaction_with(
    stand: DatabaseConfig, throwaway: Throwaway
) -> None:
    steps = proved(
        alone,
        stand,
        throwaway,
        "ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 17) NOT VALID",
        "ALTER TABLE users VALIDATE CONSTRAINT grown",
    )
    assert texts(steps) == ["ALTER TABLE users VALIDATE CONSTRAINT grown;"]
    assert steps[0].verdict is Verdict.LONG


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param((SafeStep("ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 17);"),), id="blocks"),
        pytest.param(
            (SafeStep("ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 17) NOT VALID;"),),
            id="falls short",
        ),
        pytest.param((SafeStep("ALTER TABLE users ADD CONSTRAINT;"),), id="fails"),
        pytest.param((SafeStep("DROP TABLE users CASCADE;"),), id="destroys"),
        pytest.param((), id="nothing"),
    ],
)
def test_a_way_that_is_no_better_or_leads_elsewhere_is_not_advised(
    stand: DatabaseConfig, throwaway: Throwaway, steps: Steps
) -> None:
    def recipe(case: Case) -> Steps:
        return steps

    assert proved(recipe, stand, throwaway, "ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 17)") == ()


def test_statements_of_a_block_are_advised_by_what_they_made(
    stand: DatabaseConfig, throwaway: Throwaway
) -> None:
    text = "DO $$ BEGIN EXECUTE 'ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 17)'; END $$"
    assert (
        texts(proved(alter_table, stand, throwaway, text))[1]
        == "ALTER TABLE users VALIDATE CONSTRAINT grown;"
    )


def test_a_new_partition_is_made_behind_a_check_of_the_default_one(
    stand: DatabaseConfig, throwaway: Throwaway
) -> None:
    text = "CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')"
    steps = proved(attach_partition, stand, throwaway, text)
    assert len(steps) == 3
    assert "ALTER TABLE events_rest ADD CONSTRAINT events_rest_bounds CHECK (NOT (" in steps[0].sql
