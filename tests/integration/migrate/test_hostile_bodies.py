"""Migrations that change the session they run in."""

from __future__ import annotations

import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, scalar
from howdah.config.database import DatabaseConfig
from howdah.migrate.migrator import Migrator

OTHER_ROLE = """{directive}CREATE TABLE a (x int);
GRANT ALL ON SCHEMA public TO clerk_of_bodies;
ALTER TABLE a OWNER TO clerk_of_bodies;
{change};
CREATE INDEX CONCURRENTLY a_x ON a (x);
BEGIN;
CREATE TABLE b ();
COMMIT;
CREATE TABLE c ();
"""


@pytest.mark.parametrize(
    "change",
    ["SET ROLE clerk_of_bodies", "SET SESSION AUTHORIZATION clerk_of_bodies"],
    ids=["role", "session"],
)
@pytest.mark.parametrize("name", ["goose", "golang-migrate"])
def test_a_role_that_a_body_takes_outside_a_transaction_is_not_ours_and_stays_the_body_s(
    name: str, change: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    with connect(database) as connection:
        connection.execute(
            "DO $$ BEGIN CREATE ROLE clerk_of_bodies; EXCEPTION WHEN duplicate_object THEN END $$"
        )
    if name == "goose":
        head = "-- +goose NO TRANSACTION\n-- +goose Up\n"
        directory = write_migrations({"00001_a.sql": OTHER_ROLE.format(directive=head, change=change)})
    else:
        directory = write_migrations({"1_a.up.sql": OTHER_ROLE.format(directive="", change=change)})
    here = Migrator(database=database, directory=directory, format=name, on_event=lambda _: None)

    (done,) = here.up()

    assert not done.transactional
    for table in ("b", "c"):
        owner = f"SELECT relowner::regrole::text FROM pg_class WHERE relname = '{table}'"
        assert scalar(database, owner) == "clerk_of_bodies"
    assert not here.status().history.dirty
