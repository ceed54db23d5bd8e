"""Migrations in no tool's words: each tool's files are made of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One migration: its statements, each without the final semicolon."""

    number: int
    name: str
    up: tuple[str, ...]
    down: tuple[str, ...]
    transactional: bool = True


def noted(number: int, *statements: str) -> tuple[str, ...]:
    """Statements that also leave a row in a table without keys: run twice, it is there twice."""
    return (*statements, f"INSERT INTO log (what) VALUES ('{number}')")


CHANGES = (
    Change(
        1,
        "people",
        up=noted(
            1,
            "CREATE TABLE log (what text NOT NULL)",
            "CREATE TABLE people (\n"
            "  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
            "  email varchar(320) NOT NULL UNIQUE,\n"
            "  -- a comment; with a semicolon, and it's not a string\n"
            "  name text DEFAULT 'it''s; \"quoted\"'\n"
            ")",
            "INSERT INTO people (email) SELECT n || '@example.test' FROM generate_series(1, 50) n",
            "COMMENT ON TABLE people IS 'people; all of them'",
        ),
        down=("DROP TABLE people", "DROP TABLE log"),
    ),
    Change(
        2,
        "touch",
        up=noted(
            2,
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$\n"
            "BEGIN\n"
            "  -- not the end; yet\n"
            "  NEW.name = coalesce(NEW.name, 'nobody; really');\n"
            "\n"
            "  RETURN NEW;\n"
            "END;\n"
            "$$",
            "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch()",
        ),
        down=noted(-2, "DROP TRIGGER touch ON people", "DROP FUNCTION touch()"),
    ),
    Change(
        3,
        "kinds",
        up=noted(
            3,
            "CREATE TYPE kind AS ENUM ('guest', 'member')",
            "ALTER TABLE people ADD COLUMN kind kind NOT NULL DEFAULT 'guest'",
        ),
        down=noted(-3, "ALTER TABLE people DROP COLUMN kind", "DROP TYPE kind"),
    ),
    Change(
        5,
        "index_of_names",
        up=noted(
            5,
            "CREATE INDEX people_name ON people (lower(name)) WHERE name <> 'a;b'",
            "CREATE VIEW members AS SELECT id, email FROM people WHERE kind = 'member'",
        ),
        down=noted(-5, "DROP VIEW members", "DROP INDEX people_name"),
    ),
    Change(
        8,
        "index_beside_traffic",
        up=("CREATE INDEX CONCURRENTLY people_kind ON people (kind)",),
        down=("DROP INDEX CONCURRENTLY people_kind",),
        transactional=False,
    ),
    Change(
        9,
        "words",
        up=noted(
            9,
            'CREATE TABLE "wörter; " ("größe" int, wort text DEFAULT \'naïve → 你好 🐘\')',
            'INSERT INTO "wörter; " ("größe") VALUES (1), (2)',
            "COMMENT ON COLUMN \"wörter; \".wort IS 'Grüße; 100 % \\ und zurück'",
        ),
        down=noted(-9, 'DROP TABLE "wörter; "'),
    ),
    Change(
        10,
        "months",
        up=noted(
            10,
            "CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at)",
            "DO $body$\n"
            "DECLARE\n"
            "  month date;\n"
            "BEGIN\n"
            "  FOR month IN SELECT generate_series(DATE '2026-01-01', DATE '2026-03-01', '1 month') LOOP\n"
            "    EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',\n"
            "                   'events_' || to_char(month, 'YYYYMM'), month, month + interval '1 month');\n"
            "  END LOOP;\n"
            "END\n"
            "$body$",
        ),
        down=noted(-10, "DROP TABLE events"),
    ),
    Change(
        12,
        "add_one",
        up=noted(
            12,
            "CREATE FUNCTION add_one(n int) RETURNS int LANGUAGE SQL IMMUTABLE\n"
            "BEGIN ATOMIC\n"
            "  SELECT n + 1;\n"
            "END",
            "ALTER TABLE people ADD CONSTRAINT people_id_positive CHECK (add_one(1) > 0 AND id > 0) NOT VALID",
            "/* nor /* nested; */ here */ ALTER TABLE people VALIDATE CONSTRAINT people_id_positive",
        ),
        down=noted(
            -12, "ALTER TABLE people DROP CONSTRAINT people_id_positive", "DROP FUNCTION add_one(int)"
        ),
    ),
)


def entries(count: int, seconds: float) -> tuple[Change, ...]:
    """Migrations that each take a moment, and cannot run twice."""
    first = Change(1, "log", up=("CREATE TABLE log (what int PRIMARY KEY)",), down=("DROP TABLE log",))
    rest = (
        Change(
            number,
            f"entry_{number}",
            up=(f"SELECT pg_sleep({seconds})", f"INSERT INTO log VALUES ({number})"),
            down=(f"DELETE FROM log WHERE what = {number}",),
        )
        for number in range(2, count + 1)
    )
    return (first, *rest)


def slow(seconds: float) -> tuple[Change, ...]:
    """Migrations of which the second takes long in its middle."""
    return (
        Change(1, "log", up=("CREATE TABLE log (what int PRIMARY KEY)",), down=("DROP TABLE log",)),
        Change(
            2,
            "slow",
            up=(
                "INSERT INTO log VALUES (2)",
                f"SELECT pg_sleep({seconds})",
                "CREATE TABLE half (id int PRIMARY KEY)",
                "INSERT INTO log VALUES (20)",
            ),
            down=("DELETE FROM log WHERE what IN (2, 20)", "DROP TABLE half"),
        ),
        Change(3, "last", up=("INSERT INTO log VALUES (3)",), down=("DELETE FROM log WHERE what = 3",)),
    )
