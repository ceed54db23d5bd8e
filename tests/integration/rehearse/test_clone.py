"""A copy of a database or of a dump: all of it, by any of pg_dump's formats, and nothing that acts by itself."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from psycopg import sql

from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig
from howdah.errors import ConfigError, HowdahError, RefusedError, UnsupportedError
from howdah.pg.programs import plain_environment
from howdah.rehearse.clone import Clone, Copying, check_space
from howdah.rehearse.source import DataSource, SourceKind, find_source, look_at_database, look_at_dump
from howdah.rehearse.throwaway import Throwaway, throwaway
from howdah.server.choice import Need
from howdah.server.pg_dump import client_address, find_pg_dumps

_ROLE = 'role "of x'
_SEED = f"""
CREATE ROLE "{_ROLE.replace('"', '""')}";
CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema"."T ""x" (id int PRIMARY KEY, v text);
INSERT INTO "My Schema"."T ""x" SELECT g, E'\\\\. line\\n\\\\! ' || g FROM generate_series(1, 3000) g;
ALTER TABLE "My Schema"."T ""x" ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON "My Schema"."T ""x" TO "{_ROLE.replace('"', '""')}" USING (id > 0);
ALTER TABLE "My Schema"."T ""x" OWNER TO "{_ROLE.replace('"', '""')}";
GRANT SELECT ON "My Schema"."T ""x" TO "{_ROLE.replace('"', '""')}";
CREATE TABLE events (at date) PARTITION BY RANGE (at);
CREATE TABLE events_24 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO events VALUES ('2024-05-05');
CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM events;
CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
/*
\\! echo this is no command
GRANT nothing TO nobody;
*/
END $$;
CREATE PUBLICATION everything FOR TABLE events;
CREATE EVENT TRIGGER stop ON ddl_command_start EXECUTE FUNCTION stop();
"""


@pytest.fixture
def filled(database: DatabaseConfig, server: RunningServer) -> Iterator[DatabaseConfig]:
    """A database with what a dump may stumble over."""
    with connect(database) as connection:
        connection.execute(_SEED.encode())
    yield database
    with connect(database) as connection:
        connection.execute("ALTER EVENT TRIGGER stop DISABLE")
        connection.execute(f'DROP OWNED BY "{_ROLE.replace(chr(34), chr(34) * 2)}"'.encode())
        connection.execute(f'DROP ROLE "{_ROLE.replace(chr(34), chr(34) * 2)}"'.encode())


@pytest.fixture
def other(open_path: Path, server: RunningServer) -> Iterator[Throwaway]:
    """A throwaway server of the version that is tested, where the roles of the source are not."""
    bindir = {"HOWDAH_PG_BINDIR": str(server.programs.bindir)} if server.programs else {}
    environ: Mapping[str, str] = {"HOWDAH_STATE_DIR": str(open_path), **bindir}
    with throwaway(Need(major=server.major), environ=environ) as found:
        yield found


def restored(server: Throwaway, source: DataSource) -> dict[str, object]:
    """What a copy of the source holds."""
    with server.database() as database:
        Clone(source, server, database).restore()
        with connect(database) as connection:

            def value(query: str) -> object:
                row = connection.execute(query.encode()).fetchone()
                return row and row[0]

            return {
                "rows": value('SELECT count(*) FROM "My Schema"."T ""x"'),
                "lines": value('SELECT v FROM "My Schema"."T ""x" WHERE id = 7'),
                "parts": value("SELECT count(*) FROM events_24"),
                "total": value("SELECT * FROM totals"),
                "roles": value("SELECT roles FROM pg_policies"),
                "trigger": value("SELECT evtenabled FROM pg_event_trigger"),
                "analysed": value("SELECT reltuples FROM pg_class WHERE relname = 'T \"x'"),
                "body": value(
                    "SELECT prosrc LIKE '%! echo%GRANT nothing%' FROM pg_proc WHERE proname = 'stop'"
                ),
            }


EXPECTED: dict[str, object] = {
    "rows": 3000,
    "lines": "\\. line\n\\! 7",
    "parts": 1,
    "total": 1,
    "roles": [_ROLE],
    "trigger": "D",
    "analysed": 3000.0,
    "body": True,
}


def dump(database: DatabaseConfig, major: int, *options: str) -> None:
    """What a person makes with pg_dump."""
    program = min(find_pg_dumps(major), key=lambda each: each.version.major).program
    named, secrets = client_address(database)
    environment = {**plain_environment(), **secrets}
    subprocess.run([program, *options, "--dbname", named], env=environment, check=True)


def test_a_database_is_copied_whole(filled: DatabaseConfig, other: Throwaway) -> None:
    assert restored(other, look_at_database(filled)) == EXPECTED


@pytest.mark.parametrize("format", ["custom", "directory", "tar", "plain", "gzipped"])
def test_a_dump_of_every_format_is_restored_whole(
    filled: DatabaseConfig, server: RunningServer, other: Throwaway, tmp_path: Path, format: str
) -> None:
    file = tmp_path / "dump"
    dump(filled, server.major, f"--format={'plain' if format == 'gzipped' else format}", f"--file={file}")
    if format == "gzipped":
        packed = tmp_path / "dump.sql.gz"
        packed.write_bytes(gzip.compress(file.read_bytes()))
        file = packed
    source = find_source(str(file))
    assert source.kind is (SourceKind.SCRIPT if format in {"plain", "gzipped"} else SourceKind.ARCHIVE)
    assert source.major == server.major
    assert restored(other, source) == EXPECTED


def test_a_script_cannot_run_commands(
    filled: DatabaseConfig, server: RunningServer, other: Throwaway, tmp_path: Path
) -> None:
    file, trace = tmp_path / "dump.sql", tmp_path / "trace"
    dump(filled, server.major, "--format=plain", f"--file={file}")
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:3], f"\\! touch {trace}\n", *lines[3:]]))
    assert restored(other, look_at_dump(file)) == EXPECTED
    assert not trace.exists()


def test_an_extension_that_nobody_has_here_is_left_out_and_told(
    filled: DatabaseConfig, server: RunningServer, other: Throwaway, tmp_path: Path
) -> None:
    file = tmp_path / "dump.sql"
    dump(filled, server.major, "--format=plain", f"--file={file}")
    made = "CREATE EXTENSION IF NOT EXISTS pg_nowhere WITH SCHEMA public;\nCOMMENT ON EXTENSION pg_nowhere IS 'x';\n"
    file.write_text(file.read_text().replace("CREATE FUNCTION", f"{made}CREATE FUNCTION", 1))
    source = look_at_dump(file)
    assert source.extensions == {"pg_nowhere"}
    with other.database() as database:
        (told,) = Clone(source, other, database).restore()
    assert told.code == "extension-left-out"
    assert "pg_nowhere" in told.message


def test_a_session_of_the_copy_has_the_settings_of_the_source(
    filled: DatabaseConfig, other: Throwaway
) -> None:
    with connect(filled) as connection:
        name = filled.database
        connection.execute(f"ALTER DATABASE {name} SET TimeZone = 'Asia/Kathmandu'".encode())
        connection.execute(f'ALTER DATABASE {name} SET search_path = "My Schema", public'.encode())
        connection.execute(f"ALTER DATABASE {name} SET app.tenant = 'a''b'".encode())
    with other.database() as database:
        Clone(look_at_database(filled), other, database).restore()
        with connect(database) as connection:
            row = connection.execute(
                "SELECT current_setting('TimeZone'), current_schema(), current_setting('app.tenant')"
            ).fetchone()
    assert row == ("Asia/Kathmandu", "My Schema", "a'b")


def test_a_database_of_any_name_is_copied(server: RunningServer, other: Throwaway) -> None:
    name = 'a \\ b\' "c" %s = ü'
    with connect(server.address) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            source = look_at_database(server.address.with_database(name))
            with connect(server.address.with_database(name)) as inside:
                inside.execute("CREATE TABLE a AS SELECT 1 AS one")
            with other.database() as database:
                Clone(source, other, database).restore()
                with connect(database) as copy:
                    assert copy.execute("SELECT * FROM a").fetchall() == [(1,)]
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_progress_is_told(filled: DatabaseConfig, other: Throwaway) -> None:
    told: list[Copying] = []
    with other.database() as database:
        Clone(look_at_database(filled), other, database, on_event=told.append).restore()
    assert told[-1].doing == "analysing"


def test_how_long_it_takes_is_told_by_the_rate() -> None:
    half = Copying("restoring", 50, 100, 2.0)
    assert (half.per_second, half.remaining_seconds) == (25.0, 2.0)
    assert Copying("reading", 50, 0, 2.0).remaining_seconds is None


@pytest.mark.parametrize("cut", [0.3, 0.9])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_dump_that_ends_in_the_middle_is_refused(
    filled: DatabaseConfig,
    server: RunningServer,
    other: Throwaway,
    tmp_path: Path,
    cut: float,
    is_packed: bool,
) -> None:
    file = tmp_path / "dump.sql"
    dump(filled, server.major, "--format=plain", f"--file={file}")
    whole = gzip.compress(file.read_bytes()) if is_packed else file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(RefusedError) as caught:
        restored(other, look_at_dump(file))
    assert caught.value.code == "restore-failed"


def test_what_cannot_be_restored_is_told(
    filled: DatabaseConfig, server: RunningServer, other: Throwaway, tmp_path: Path
) -> None:
    with connect(filled) as connection:
        # A function that finds its table by the search_path alone: a trap of every restore.
        connection.execute("CREATE FUNCTION n() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM events'")
        connection.execute("CREATE TABLE trap (id int CHECK (n() > 0))")
        connection.execute("INSERT INTO trap VALUES (1)")
    file = tmp_path / "dump"
    dump(filled, server.major, "--format=custom", f"--file={file}")
    with pytest.raises(RefusedError) as caught:
        restored(other, look_at_dump(file))
    assert caught.value.code == "restore-failed"
    assert 'relation "events" does not exist' in caught.value.message


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"SELECT 1;\n", "something else"),
        (b"", "something else"),
        (b"--\n-- PostgreSQL database cluster dump\n--\n", "a dump of a whole server by pg_dumpall"),
        (b"\x28\xb5\x2f\xfd rest", "compressed by zstd"),
        (gzip.compress(b"PGDMP rest", mtime=0), "an archive of pg_dump, compressed again"),
        (b"PGDMP is not enough", "."),
        (b"\x1f\x8b and no more", "damaged"),
    ],
    ids=["query", "nothing", "server", "zstd", "twice", "damaged", "packed and damaged"],
)
def test_what_is_no_dump_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(UnsupportedError, match=said) as caught:
        find_source(str(write(tmp_path / "dump", content)))
    assert caught.value.code == "not-a-dump"


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("backup:latest", UnsupportedError, "no-backups-yet"),
        ("nowhere.dump", ConfigError, "no-such-dump"),
    ],
)
def test_what_names_no_data_is_refused(text: str, kind: type[HowdahError], code: str) -> None:
    with pytest.raises(kind) as caught:
        find_source(text)
    assert caught.value.code == code


def test_a_folder_that_is_no_dump_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=r"a folder without a `toc\.dat`"):
        find_source(str(tmp_path))


def test_a_disk_without_room_is_told_before_anything_is_read(tmp_path: Path) -> None:
    source = DataSource(SourceKind.DATABASE, "app on db.example.test", 17, 1 << 60)
    with pytest.raises(RefusedError) as caught:
        check_space(source, tmp_path)
    assert caught.value.code == "no-disk-space"
