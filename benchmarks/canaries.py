"""What canaries measure against what is computed from the locks: a rehearsal on 1,000,000 rows for each scenario.

    .venv/bin/python benchmarks/canaries.py [--rows 1000000]

Exits with 1 where a stall is further from the computed hold than 10 % or 50 ms.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from howdah.config.database import DatabaseConfig
from howdah.migrate.migrator import Migrator
from howdah.rehearse.live import LiveSettings, rehearse_on_data
from howdah.rehearse.measured import LiveMigration, LiveTable
from howdah.rehearse.source import look_at_database
from howdah.rehearse.throwaway import throwaway
from howdah.server.choice import Need

SEED = """
CREATE TABLE orgs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
INSERT INTO orgs (name) SELECT 'org' || g FROM generate_series(1, {rows} / 100) g;
CREATE TABLE users (id int PRIMARY KEY, org_id bigint, email text, bio text, created timestamptz DEFAULT now());
INSERT INTO users SELECT g, 1 + g % ({rows} / 100), 'u' || g || '@example.test', repeat('lorem ', 10), now()
FROM generate_series(1, {rows}) g;
CREATE INDEX users_org ON users (org_id);
"""


@dataclass(frozen=True)
class Scenario:
    """A migration, and for each table whether readers and writers wait for all of its hold."""

    name: str
    sql: str
    waits: dict[str, tuple[bool, bool]]


SCENARIOS = (
    Scenario(
        "ALTER of a small table, then of the type in a large one",
        "ALTER TABLE orgs ADD COLUMN a text; ALTER TABLE users ALTER COLUMN id TYPE bigint;",
        {"public.orgs": (True, True), "public.users": (True, True)},
    ),
    Scenario(
        "NOT VALID and VALIDATE in one transaction",
        "ALTER TABLE users ADD CONSTRAINT c CHECK (email IS NOT NULL) NOT VALID;"
        " ALTER TABLE users VALIDATE CONSTRAINT c;",
        {"public.users": (True, True)},
    ),
    Scenario(
        "ADD COLUMN and UPDATE of 15 % in one transaction",
        "ALTER TABLE users ADD COLUMN z text; UPDATE users SET z = 'x' WHERE id <= {part};",
        {"public.users": (True, True)},
    ),
    Scenario("CREATE INDEX", "CREATE INDEX ON users (bio);", {"public.users": (False, True)}),
    Scenario(
        "CREATE INDEX CONCURRENTLY",
        "CREATE INDEX CONCURRENTLY zz ON users (bio);",
        {"public.users": (False, False)},
    ),
    Scenario(
        "ADD FOREIGN KEY",
        "ALTER TABLE users ADD FOREIGN KEY (org_id) REFERENCES orgs;",
        {"public.users": (False, True), "public.orgs": (False, True)},
    ),
)


def rehearsed(production: DatabaseConfig, scenario: Scenario, rows: int) -> LiveMigration:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        sql = scenario.sql.replace("{part}", str(rows * 15 // 100))
        (directory / "1_scenario.up.sql").write_text(sql)
        migrator = Migrator(database=production, directory=directory, format="golang-migrate")
        found = rehearse_on_data(look_at_database(production), migrator, settings=LiveSettings())
        return found.migrations[0]


def is_right(measured: float | None, expected: float) -> bool:
    return measured is not None and abs(measured - expected) <= max(0.1 * expected, 0.05)


def show(scenario: Scenario, table: LiveTable) -> bool:
    readers, writers = scenario.waits[table.relation]
    right = is_right(table.reader_seconds, table.held_seconds * readers) and is_right(
        table.writer_seconds, table.held_seconds * writers
    )
    cells = [table.held_seconds, table.reader_seconds or 0, table.writer_seconds or 0]
    figures = " | ".join(f"{each * 1000:,.0f}" for each in cells)
    cause = f"statement {table.statement}" if table.statement else "none"
    print(f"| {scenario.name} | {table.relation} | {figures} | {cause} | {'yes' if right else '**no**'} |")
    return right


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    right = []
    with throwaway(Need()) as server, server.database() as production:
        with psycopg.connect(make_conninfo(**production.conninfo())) as connection:
            connection.execute(SEED.format(rows=rows).encode())
        print(f"PostgreSQL {server.version}, {rows:,} rows; milliseconds\n")
        print("| scenario | table | computed hold | reader waited | writer waited | cause | as computed |")
        print("|---|---|---|---|---|---|---|")
        for scenario in SCENARIOS:
            tables = rehearsed(production, scenario, rows).tables
            right += [show(scenario, each) for each in tables if each.relation in scenario.waits]
    return 0 if all(right) else 1


if __name__ == "__main__":
    raise SystemExit(main())
