"""The least that a Python program can do: a loop over psycopg, body and history row in one transaction.

python bare_loop.py URL DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

url, directory = sys.argv[1:]
with psycopg.connect(url, autocommit=True) as session:
    session.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)"
    )
    found = session.execute("SELECT coalesce(max(version), 0) FROM schema_migrations").fetchone()
    current = found[0] if found else 0
    for file in sorted(Path(directory).glob("*.up.sql")):
        version = int(file.name.split("_")[0])
        if version <= current:
            continue
        # One simple-protocol message: four statements, one round trip.
        session.execute(
            f"BEGIN; {file.read_text()}; DELETE FROM schema_migrations;"
            f" INSERT INTO schema_migrations VALUES ({version}, false); COMMIT"
        )
