"""The sizes of a live database, by any role: partitions summed, what was never analysed guessed, nothing of a row."""

from __future__ import annotations

import secrets
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig, Secret
from howdah.errors import RefusedError
from howdah.observe import read_sizes
from howdah.observe.read_sizes import read_stats
from howdah.observe.sizes import Stats, parse_stats, save_stats


def stats_of(database: DatabaseConfig) -> Stats:
    with connect(database) as connection:
        return read_stats(connection)


def run(database: DatabaseConfig, *statements: str) -> None:
    with connect(database) as connection:
        for each in statements:
            connection.execute(each.encode())


def test_rows_and_bytes_of_an_analysed_table(database: DatabaseConfig, server: RunningServer) -> None:
    run(
        database,
        "CREATE TABLE notes (id int PRIMARY KEY, body text)",
        "INSERT INTO notes SELECT g, repeat('x', 100) FROM generate_series(1, 5000) g",
        "ANALYZE notes",
    )
    found = stats_of(database)
    notes = found.by_name["public.notes"]
    assert (notes.rows, notes.rows_are_guessed, notes.kind) == (5000, False, "table")
    assert notes.heap_bytes > 5000 * 100
    assert notes.index_bytes > 5000 * 8
    assert found.major == server.major
    assert found.settings["deadlock_timeout"] == "1s"
    assert parse_stats(save_stats(found)) == found


def test_rows_of_a_table_that_was_never_analysed_are_guessed_and_it_is_said(database: DatabaseConfig) -> None:
    run(
        database,
        "CREATE TABLE notes (id int, body text) WITH (autovacuum_enabled = off)",
        "INSERT INTO notes SELECT g, repeat('x', 50) FROM generate_series(1, 20000) g",
    )
    notes = stats_of(database).by_name["public.notes"]
    assert notes.rows_are_guessed
    assert 10_000 <= notes.rows <= 40_000


def test_a_table_that_grew_since_it_was_analysed_is_as_dense_as_then(database: DatabaseConfig) -> None:
    run(
        database,
        "CREATE TABLE notes (id int, body text) WITH (autovacuum_enabled = off)",
        "INSERT INTO notes SELECT g, repeat('x', 50) FROM generate_series(1, 10000) g",
        "ANALYZE notes",
        "INSERT INTO notes SELECT g, repeat('x', 50) FROM generate_series(1, 10000) g",
    )
    assert stats_of(database).by_name["public.notes"].rows == pytest.approx(20_000, rel=0.02)


def test_a_partitioned_table_is_the_sum_of_all_its_partitions(database: DatabaseConfig) -> None:
    run(
        database,
        "CREATE TABLE events (id int, at date) PARTITION BY RANGE (at)",
        "CREATE TABLE events_24 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
        "CREATE TABLE events_25 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"
        " PARTITION BY RANGE (at)",
        "CREATE TABLE events_25a PARTITION OF events_25 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        "INSERT INTO events SELECT g, '2024-05-05' FROM generate_series(1, 300) g",
        "INSERT INTO events SELECT g, '2025-05-05' FROM generate_series(1, 200) g",
        "ANALYZE events",
    )
    found = stats_of(database)
    whole, inner, leaf = (found.by_name[f"public.{name}"] for name in ("events", "events_25", "events_24"))
    assert (whole.kind, whole.partitions, whole.rows) == ("partitioned table", 2, 500)
    assert (inner.partitions, inner.rows) == (1, 200)
    assert whole.heap_bytes == inner.heap_bytes + leaf.heap_bytes
    assert found.bytes == whole.bytes


def test_names_are_quoted_where_sql_wants_it_and_views_are_no_tables(database: DatabaseConfig) -> None:
    run(
        database,
        'CREATE SCHEMA "My Schema"',
        'CREATE TABLE "My Schema"."a.""b" (id int)',
        'CREATE MATERIALIZED VIEW public.totals AS SELECT count(*) FROM "My Schema"."a.""b"',
        "CREATE VIEW public.ones AS SELECT 1",
        "CREATE TEMPORARY TABLE passing (id int)",
    )
    found = stats_of(database)
    assert sorted(found.by_name) == ['"My Schema"."a.""b"', "public.totals"]
    assert found.by_name["public.totals"].kind == "materialized view"


def test_a_role_without_any_right_on_the_tables_may_write_it(
    database: DatabaseConfig, server: RunningServer
) -> None:
    role, password = f"stats_{secrets.token_hex(4)}", secrets.token_hex(8)
    run(database, "CREATE TABLE hidden (id int)", "INSERT INTO hidden VALUES (1)", "ANALYZE hidden")
    with connect(server.address) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
        )
    try:
        found = stats_of(replace(database, user=role, password=Secret(password)))
    finally:
        with connect(server.address) as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    assert found.by_name["public.hidden"].rows == 1


def test_a_table_that_is_being_altered_is_not_waited_for_without_end(
    database: DatabaseConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_sizes, "_LOCK_LIMIT", "50ms")
    run(database, "CREATE TABLE held (id int)")
    with psycopg.connect(**database.conninfo()) as holder:  # type: ignore[arg-type]
        holder.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(RefusedError) as caught:
            stats_of(database)
    assert caught.value.code == "stats-locked"


def test_no_value_of_a_row_is_in_it(database: DatabaseConfig) -> None:
    run(
        database,
        "CREATE TABLE people (email text)",
        "INSERT INTO people SELECT 'secret-' || g FROM generate_series(1, 1000) g",
        "ANALYZE people",
    )
    assert "secret-" not in save_stats(stats_of(database))
