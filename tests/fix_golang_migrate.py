"""The real golang-migrate, as a program beside howdah, and a chain of migrations with everything that is hard."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from fix_cli import Ran
from fix_server import tools_directory
from howdah.config.database import DatabaseConfig

# Each transactional file leaves a row in a table without keys: run twice, it is there twice.
_LOG = "INSERT INTO log (what) VALUES ('{}');\n"

CHAIN: Mapping[str, str | bytes] = {
    "000001_users.up.sql": """
CREATE TABLE log (what text NOT NULL);
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email varchar(320) NOT NULL UNIQUE, -- a comment; with a semicolon
  name text DEFAULT 'it''s; "quoted"'
);
INSERT INTO log (what) VALUES ('1');
INSERT INTO users (email) SELECT n || '@example.test' FROM generate_series(1, 100) n;
COMMENT ON TABLE users IS 'people; all of them';
""",
    "000001_users.down.sql": "DROP TABLE users;\nDROP TABLE log;\n",
    "000002_touch.up.sql": """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.name := coalesce(NEW.name, 'nobody; really');
  RETURN NEW;
END;
$$;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
"""
    + _LOG.format("2"),
    "000002_touch.down.sql": "DROP TRIGGER touch ON users;\nDROP FUNCTION touch();\n" + _LOG.format("-2"),
    "000003_kinds.up.sql": """
CREATE TYPE kind AS ENUM ('guest', 'member');
CREATE DOMAIN colour AS text CHECK (VALUE ~ '^#[0-9a-f]{6}$');
ALTER TABLE users ADD COLUMN kind kind NOT NULL DEFAULT 'guest', ADD COLUMN colour colour;
"""
    + _LOG.format("3"),
    "000003_kinds.down.sql": """
ALTER TABLE users DROP COLUMN kind, DROP COLUMN colour;
DROP DOMAIN colour;
DROP TYPE kind;
"""
    + _LOG.format("-3"),
    "000005_events.up.sql": """
CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at);
DO $body$
DECLARE
  month date;
BEGIN
  FOR month IN SELECT generate_series('2026-01-01'::date, '2026-03-01', '1 month') LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
                   'events_' || to_char(month, 'YYYYMM'), month, month + interval '1 month');
  END LOOP;
END
$body$;
"""
    + _LOG.format("5"),
    "000005_events.down.sql": "DROP TABLE events;\n" + _LOG.format("-5"),
    "000008_index.up.sql": "CREATE INDEX CONCURRENTLY users_name_idx ON users (lower(name));\n",
    "000008_index.down.sql": "DROP INDEX CONCURRENTLY users_name_idx;\n",
    "000010_own_transaction.up.sql": "BEGIN;\nCREATE TABLE teams (id int PRIMARY KEY);\n"
    + _LOG.format("10")
    + "COMMIT;\n",
    "000010_own_transaction.down.sql": "BEGIN;\nDROP TABLE teams;\n" + _LOG.format("-10") + "COMMIT;\n",
    "000011_empty.up.sql": "",
    "000011_empty.down.sql": "",
    "000012_crlf.up.sql": (
        b"CREATE TABLE lines (\r\n  id int,\r\n  body text DEFAULT 'a\r\nb'\r\n);\r\n"
        b"INSERT INTO log (what) VALUES ('12');\r\n"
    ),
    "000012_crlf.down.sql": b"DROP TABLE lines;\r\nINSERT INTO log (what) VALUES ('-12');\r\n",
    "000013_comments.up.sql": "-- nothing to do; on purpose\n/* nor /* nested; */ here */\n",
    "000013_comments.down.sql": "-- nothing to do\n",
    "000014_settings.up.sql": """
SELECT set_config('howdah_test.flag', 'yes', false);
SET lock_timeout = '5s';
INSERT INTO log (what) SELECT 'flag ' || current_setting('howdah_test.flag');
"""
    + _LOG.format("14"),
    "000014_settings.down.sql": "SELECT set_config('howdah_test.flag', 'no', false);\n" + _LOG.format("-14"),
    "000020_functions.up.sql": """
CREATE FUNCTION add_one(n int) RETURNS int LANGUAGE SQL IMMUTABLE
BEGIN ATOMIC
  SELECT n + 1;
END;
CREATE VIEW people AS SELECT id, add_one(1) AS one, $tag$a;b$tag$::text AS text FROM users;
COMMENT ON VIEW people IS E'it''s \\'a\\' view;';
"""
    + _LOG.format("20"),
    "000020_functions.down.sql": "DROP VIEW people;\nDROP FUNCTION add_one(int);\n" + _LOG.format("-20"),
    "000021_keys.up.sql": """
ALTER TABLE teams ADD COLUMN owner bigint;
ALTER TABLE teams ADD CONSTRAINT teams_owner_fk FOREIGN KEY (owner) REFERENCES users (id) DEFERRABLE NOT VALID;
ALTER TABLE teams VALIDATE CONSTRAINT teams_owner_fk;
ALTER TYPE kind ADD VALUE 'owner';
UPDATE users SET name = NULL WHERE id % 2 = 0;
"""
    + _LOG.format("21"),
    "000021_keys.down.sql": "ALTER TABLE teams DROP COLUMN owner;\n" + _LOG.format("-21"),
}
VERSIONS = tuple(sorted({int(name.split("_")[0]) for name in CHAIN}))


@dataclass(frozen=True)
class GolangMigrate:
    """`golang_migrate(database, directory, "up")`: the real program, with its two drivers for PostgreSQL."""

    program: Path
    driver: str = "postgres"

    def __call__(
        self,
        database: DatabaseConfig,
        directory: Path,
        *arguments: str,
        parameters: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Ran:
        done = subprocess.run(
            self.command(database, directory, arguments, parameters),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ran(arguments, done.returncode, done.stdout, done.stderr)

    def start(self, database: DatabaseConfig, directory: Path, *arguments: str) -> subprocess.Popen[str]:
        """Start it and return at once."""
        return subprocess.Popen(
            self.command(database, directory, arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def version(self, database: DatabaseConfig, directory: Path, **options: Mapping[str, str]) -> str:
        """What its `version` prints: a number, `no migration` or `3 (dirty)`."""
        ran = self(database, directory, "version", **options)  # type: ignore[arg-type]
        return ran.stderr.strip().removeprefix("error: ")

    def url(self, database: DatabaseConfig, parameters: Mapping[str, str] | None = None) -> str:
        """The database's address as it wants it."""
        password = quote(database.password.reveal(), safe="") if database.password else ""
        query = urlencode({"sslmode": "disable", **(parameters or {})})
        return (
            f"{self.driver}://{quote(database.user, safe='')}:{password}@{database.host}:{database.port}"
            f"/{quote(database.database, safe='')}?{query}"
        )

    def command(
        self,
        database: DatabaseConfig,
        directory: Path,
        arguments: tuple[str, ...],
        parameters: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Its command line."""
        where = ["-path", str(directory), "-database", self.url(database, parameters)]
        return [str(self.program), *where, *arguments]


@pytest.fixture(scope="session")
def golang_migrate() -> GolangMigrate:
    """golang-migrate with its driver `postgres` (lib/pq)."""
    program = tools_directory() / "bin" / "migrate"
    if not program.exists():
        reason = "no golang-migrate here; `make tools` installs it"
        if os.environ.get("CI") == "true" or os.environ.get("HOWDAH_REQUIRE_TOOLS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return GolangMigrate(program)


@pytest.fixture(scope="session")
def golang_migrate_pgx(golang_migrate: GolangMigrate) -> GolangMigrate:
    """golang-migrate with its driver `pgx5`."""
    return GolangMigrate(golang_migrate.program, "pgx5")


def as_url(database: DatabaseConfig) -> str:
    """A database's address for `howdah --url`."""
    from howdah.config.url import format_url

    return format_url(database, show_password=True)
