"""How fast this machine does each kind of work on a table, against the range that `check --stats` takes.

    .venv/bin/python benchmarks/rates.py [--rows 1000000] [--url URL]

Without a URL a server is started and thrown away; with one, a database is made there and dropped.
"""

from __future__ import annotations

import argparse
import statistics
import time

import psycopg
from canaries import SEED
from psycopg.conninfo import make_conninfo

from howdah.config.url import parse_url
from howdah.observe.effect import WorkKind
from howdah.observe.estimate import work_seconds
from howdah.observe.read_sizes import read_stats
from howdah.observe.sizes import TableSize
from howdah.rehearse.throwaway import throwaway
from howdah.server.choice import Need

STATEMENTS = {
    WorkKind.SCAN: ("ALTER TABLE users ALTER email SET NOT NULL", "ALTER TABLE users ADD CHECK (id > 0)"),
    WorkKind.INDEX_SCAN: ("ALTER TABLE users ADD FOREIGN KEY (org_id) REFERENCES orgs",),
    WorkKind.INDEX_BUILD: ("CREATE INDEX ON users (created)", "CREATE INDEX ON users (email)"),
    WorkKind.REWRITE: (
        "ALTER TABLE users ALTER id TYPE bigint",
        "ALTER TABLE users ADD u uuid DEFAULT gen_random_uuid()",
    ),
}
ROUNDS = 3


def measure(connection: psycopg.Connection, statement: str) -> float:
    """The median time of a statement, rolled back each time."""
    found = []
    for _ in range(ROUNDS):
        with connection.transaction(force_rollback=True):
            began = time.monotonic()
            connection.execute(statement.encode())
            found.append(time.monotonic() - began)
    return statistics.median(found)


def show(kind: WorkKind, statement: str, seconds: float, size: TableSize) -> bool:
    expected = work_seconds(kind, size)
    counted = size.bytes if kind is WorkKind.REWRITE else size.heap_bytes
    within = expected.low <= seconds <= expected.high
    figures = f"{seconds * 1000:,.0f} ms | {counted / seconds / 2**20:,.0f} | {size.rows / seconds / 1e6:.1f}"
    print(f"| {kind.value} | `{statement}` | {figures} | {expected} | {'yes' if within else '**no**'} |")
    return within


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--url")
    chosen = parser.parse_args()
    at = parse_url(chosen.url, origin="--url") if chosen.url else None
    right = []
    settings = {"wal_level": "replica"}
    with (
        throwaway(Need(), at=at, settings=settings) as server,
        server.database() as database,
        psycopg.connect(make_conninfo(**database.conninfo()), autocommit=True) as connection,
    ):
        connection.execute(SEED.format(rows=chosen.rows).encode())
        connection.execute("VACUUM ANALYZE")
        size = read_stats(connection).by_name["public.users"]
        print(f"PostgreSQL {server.version}, {size.rows:,} rows, {size.bytes / 2**20:.0f} MB\n")
        print("| work | statement | took | MB/s | million rows/s | range | within |")
        print("|---|---|---|---|---|---|---|")
        for kind, statements in STATEMENTS.items():
            right += [show(kind, each, measure(connection, each), size) for each in statements]
    return 0 if all(right) else 1


if __name__ == "__main__":
    raise SystemExit(main())
