"""Up, down and up again: what comes back, what does not, what would mend it, and which data is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import Secret
from howdah.rehearse.round_trip import Travel, try_round_trips
from howdah.rehearse.throwaway import Throwaway
from howdah.rehearse.trip import Return, RoundTrip, RoundTrips

BASE = """
CREATE ROLE {role};
CREATE TABLE orgs (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs, name varchar(50) NOT NULL, bio text,
  created timestamptz DEFAULT now(), CONSTRAINT named CHECK (name <> ''));
CREATE INDEX users_name ON users (name);
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE VIEW people AS SELECT id, name FROM users;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY own ON users USING (id = 1);
GRANT SELECT ON orgs TO {role};
COMMENT ON TABLE users IS 'people';
"""


@pytest.fixture
def place(server: RunningServer) -> Throwaway:
    """The server of the tests, as one that was started for this."""
    return Throwaway(server.address, f"{server.major}.0", is_ours=True)


def write(directory: Path, *pairs: tuple[str, str | None]) -> Path:
    """Pairs of golang-migrate's: up and down, None: there is no down."""
    for number, (up, down) in enumerate(pairs, 1):
        (directory / f"{number:04d}_step.up.sql").write_text(up)
        if down is not None:
            (directory / f"{number:04d}_step.down.sql").write_text(down)
    return directory


def travel(
    place: Throwaway, directory: Path, travel: Travel | None = None, *, of: str = "golang-migrate"
) -> RoundTrips:
    return try_round_trips(place, of, directory, travel or Travel())


@pytest.fixture
def base() -> str:
    """What most of these build upon; roles are the server's, and stay."""
    return BASE.replace("CREATE ROLE {role};\n", "").replace("{role}", "pg_monitor")


def last_trip(place: Throwaway, directory: Path, base: str, up: str, down: str | None) -> RoundTrip:
    found = travel(place, write(directory, (base, None), (up, down)), Travel(only={"2"}))
    assert found.failure is None
    return found.trips[-1]


@pytest.mark.parametrize(
    ("up", "down"),
    [
        ("ALTER TABLE users ADD k int; CREATE INDEX ki ON users (k)", "ALTER TABLE users DROP COLUMN k"),
        ("ALTER TABLE users RENAME COLUMN bio TO b2", "ALTER TABLE users RENAME COLUMN b2 TO bio"),
        ("ALTER TABLE users RENAME TO folk", "ALTER TABLE folk RENAME TO users"),
        ("ALTER TYPE mood RENAME TO temper", "ALTER TYPE temper RENAME TO mood"),
        (
            "ALTER TABLE users ALTER COLUMN name TYPE text; ALTER TABLE users RENAME TO u",
            "ALTER TABLE u RENAME TO users; ALTER TABLE users ALTER COLUMN name TYPE varchar(50)",
        ),
        ("CREATE EXTENSION IF NOT EXISTS plpgsql", ""),
        ("CREATE INDEX CONCURRENTLY ki ON users (bio)", "DROP INDEX CONCURRENTLY ki"),
        ("INSERT INTO orgs VALUES (1, 'one')", "DELETE FROM orgs WHERE id = 1"),
    ],
)
def test_a_good_pair_brings_schema_and_data_back(
    place: Throwaway, tmp_path: Path, base: str, up: str, down: str
) -> None:
    # A view holds the type of a column.
    trip = last_trip(
        place, tmp_path, base.replace("CREATE VIEW people AS SELECT id, name FROM users;", ""), up, down
    )
    assert (trip.left, trip.lost, trip.differs) == ((), (), ())
    assert trip.reversible is Return.SCHEMA_AND_DATA
    assert trip.again is not None


@pytest.mark.parametrize(
    ("up", "down", "mend"),
    [
        ("CREATE INDEX ki ON users (bio)", "SELECT 1", ["DROP INDEX public.ki;"]),
        (
            "ALTER TABLE users ALTER created DROP DEFAULT",
            "SELECT 1",
            ["ALTER TABLE public.users ALTER COLUMN created SET DEFAULT now();"],
        ),
        (
            "ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (org_id) REFERENCES orgs",
            ("ALTER TABLE users DROP CONSTRAINT f; ALTER TABLE users ADD CONSTRAINT f2 FOREIGN KEY (org_id)"
            " REFERENCES orgs NOT VALID"),
            ["ALTER TABLE public.users DROP CONSTRAINT f2;"],
        ),
        ("GRANT SELECT ON users TO public", "SELECT 1", ["REVOKE SELECT ON TABLE public.users FROM PUBLIC;"]),
        (
            "REVOKE SELECT ON orgs FROM pg_monitor",
            "SELECT 1",
            ["GRANT SELECT ON TABLE public.orgs TO pg_monitor;"],
        ),
        (
            "ALTER TYPE mood RENAME TO temper",
            "SELECT 1",
            ["DROP TYPE public.temper;", "CREATE TYPE public.mood AS ENUM ('good', 'bad');"],
        ),
        ("CREATE TYPE other AS ENUM ('a')", "SELECT 1", ["DROP TYPE public.other;"]),
        (
            "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2'",
            "SELECT 1",
            [
                ("CREATE OR REPLACE FUNCTION public.one()\n RETURNS integer\n LANGUAGE sql\n"
                "AS $function$SELECT 1$function$;")
            ],
        ),
        (
            "ALTER TABLE users DISABLE TRIGGER touched",
            "SELECT 1",
            ["ALTER TABLE public.users ENABLE TRIGGER touched;"],
        ),
        ("COMMENT ON TABLE users IS 'others'", "SELECT 1", ["COMMENT ON TABLE public.users IS 'people';"]),
        ("COMMENT ON COLUMN users.bio IS 'x'", "SELECT 1", ["COMMENT ON COLUMN public.users.bio IS NULL;"]),
        (
            "DROP POLICY own ON users",
            "SELECT 1",
            ["CREATE POLICY own ON public.users FOR ALL TO PUBLIC USING ((id = 1));"],
        ),
        (
            "ALTER TABLE orgs OWNER TO pg_monitor",
            "SELECT 1",
            # What the new owner had been granted went into what an owner may.
            [
                "ALTER TABLE public.orgs OWNER TO SESSION_USER;",
                "GRANT SELECT ON TABLE public.orgs TO pg_monitor;",
            ],
        ),
        (
            "CREATE OR REPLACE VIEW people AS SELECT id, name, bio FROM users",
            "SELECT 1",
            [
                "DROP VIEW public.people;",
                "CREATE VIEW public.people AS  SELECT users.id,\n    users.name\n   FROM public.users;",
            ],
        ),
        (
            "ALTER TABLE users ALTER name DROP NOT NULL",
            "SELECT 1",
            ["ALTER TABLE public.users ALTER COLUMN name SET NOT NULL;"],
        ),
        ("ALTER TABLE users ENABLE ROW LEVEL SECURITY", "", ["ALTER TABLE public.users DISABLE ROW LEVEL SECURITY;"]),
        ("CREATE SCHEMA s; CREATE TABLE s.t (a int)", "DROP TABLE s.t", ["DROP SCHEMA s;"]),
        (
            "ALTER TABLE users DROP CONSTRAINT named",
            "ALTER TABLE users ADD CONSTRAINT renamed CHECK (name <> '')",
            [
                "ALTER TABLE public.users ADD CONSTRAINT named CHECK (((name)::text <> ''::text));",
                "ALTER TABLE public.users DROP CONSTRAINT renamed;",
            ],
        ),
    ],
)  # fmt: skip
def test_what_a_down_leaves_is_told_with_the_statement_that_mends_it(
    place: Throwaway, tmp_path: Path, base: str, up: str, down: str, mend: list[str]
) -> None:
    trip = last_trip(place, tmp_path, base, up, down)
    assert trip.left != ()
    assert trip.reversible is Return.NO
    # Before version 16 a view names the table of every column.
    assert sorted(map(_unqualified, trip.mend)) == sorted(map(_unqualified, mend))


def _unqualified(statement: str) -> str:
    return statement.replace("users.id", "id").replace("users.name", "name")


def test_default_privileges_that_stay_are_told(place: Throwaway, tmp_path: Path, base: str) -> None:
    trip = last_trip(
        place, tmp_path, base, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor", ""
    )
    assert [each.kind for each in trip.left] == ["default privileges"]


def test_a_column_that_is_dropped_and_added_again_has_lost_its_data(
    place: Throwaway, tmp_path: Path, base: str
) -> None:
    trip = last_trip(
        place, tmp_path, base, "ALTER TABLE users DROP COLUMN bio", "ALTER TABLE users ADD COLUMN bio text"
    )
    assert trip.left == ()
    assert [each.kind for each in trip.noise] == ["column order"]
    assert trip.reversible is Return.SCHEMA_ONLY
    assert [str(each) for each in trip.lost] == ["public.users.bio: 2 of 2 values"]


def test_a_table_that_is_dropped_and_made_again_has_lost_its_rows(place: Throwaway, tmp_path: Path) -> None:
    make = "CREATE TABLE notes (id bigserial PRIMARY KEY, text text)"
    trip = last_trip(place, tmp_path, make, "DROP TABLE notes", make)
    assert trip.left == ()
    assert [str(each) for each in trip.lost] == ["public.notes: 3 of 3 rows"]


def test_a_sequence_that_begins_anew_is_told(place: Throwaway, tmp_path: Path) -> None:
    base = (
        "CREATE TABLE a (id serial PRIMARY KEY); INSERT INTO a DEFAULT VALUES; INSERT INTO a DEFAULT VALUES"
    )
    up = "ALTER TABLE a ALTER id DROP DEFAULT; DROP SEQUENCE a_id_seq"
    down = "CREATE SEQUENCE a_id_seq AS int OWNED BY a.id; ALTER TABLE a ALTER id SET DEFAULT nextval('a_id_seq')"
    trip = last_trip(place, tmp_path, base, up, down)
    assert trip.left == ()
    assert [str(each) for each in trip.lost] == ["public.a_id_seq: back at 0, was at 2"]


def test_a_value_that_an_enum_has_got_is_noise_for_nothing_takes_it_back(
    place: Throwaway, tmp_path: Path, base: str
) -> None:
    trip = last_trip(place, tmp_path, base, "ALTER TYPE mood ADD VALUE 'so so'", "SELECT 1")
    assert trip.left == ()
    assert [(each.kind, each.name) for each in trip.noise] == [("type", "public.mood")]


def test_names_that_postgresql_gave_are_noise(place: Throwaway, tmp_path: Path) -> None:
    base = "CREATE TABLE a (id int PRIMARY KEY, b int UNIQUE, UNIQUE (b))"
    up = "ALTER TABLE a DROP CONSTRAINT a_b_key"
    down = "ALTER TABLE a ADD CONSTRAINT a_b_key7 UNIQUE (b)"
    trip = last_trip(place, tmp_path, base, up, down)
    assert trip.left == ()
    assert {each.kind for each in trip.noise} == {"constraint", "index"}
    assert trip.reversible is Return.SCHEMA_AND_DATA


def test_a_temporary_table_is_gone_when_the_next_step_begins(
    place: Throwaway, tmp_path: Path, base: str
) -> None:
    up = "CREATE TEMPORARY TABLE seen AS SELECT 1 AS id; CREATE TABLE later (id int)"
    trip = last_trip(place, tmp_path, base, up, "DROP TABLE later")
    assert trip.again is not None
    assert trip.again.failure is None


def test_a_migration_without_a_down_is_not_tested(place: Throwaway, tmp_path: Path, base: str) -> None:
    trip = last_trip(place, tmp_path, base, "CREATE INDEX ki ON users (bio)", None)
    assert trip.reversible is Return.NOT_TESTED
    assert trip.down is None


def test_a_down_that_fails_is_told_and_what_follows_is_tried(
    place: Throwaway, tmp_path: Path, base: str
) -> None:
    pairs = [
        (base, "SELECT 1"),
        ("CREATE INDEX ki ON users (bio)", "DROP INDEX nothing"),
        ("ALTER TABLE users ADD k int", "ALTER TABLE users DROP k"),
    ]
    found = travel(place, write(tmp_path, *pairs), Travel(only={"2", "3"}))
    failing, good = found.trips
    assert failing.reversible is Return.NO
    assert failing.down is not None
    assert failing.down.failure is not None
    assert failing.down.failure.sqlstate == "42704"
    assert good.reversible is Return.SCHEMA_AND_DATA


def test_a_down_that_does_half_of_it_does_not_spoil_what_follows(place: Throwaway, tmp_path: Path) -> None:
    pairs = [
        ("CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (m mood); CREATE TABLE u ()", None),
        ("ALTER TYPE mood ADD VALUE 'b'; CREATE TABLE v (a int)", "DROP TABLE u; DROP TABLE v"),
        ("ALTER TABLE u ADD a int", "ALTER TABLE u DROP a"),
    ]
    found = travel(place, write(tmp_path, *pairs), Travel(only={"2", "3"}))
    assert found.failure is None
    half, good = found.trips
    assert half.reversible is Return.NO
    assert good.reversible is Return.SCHEMA_AND_DATA


def test_an_up_that_fails_ends_it(place: Throwaway, tmp_path: Path) -> None:
    pairs = [
        ("CREATE TABLE a ()", "DROP TABLE a"),
        ("SELECT nothing", ""),
        ("CREATE TABLE b ()", "DROP TABLE b"),
    ]
    found = travel(place, write(tmp_path, *pairs))
    assert [each.up.failure is None for each in found.trips] == [True, False]


def test_a_column_that_no_row_can_have_is_told_and_the_migration_goes_on(
    place: Throwaway, tmp_path: Path
) -> None:
    pairs = [
        ("CREATE TABLE a (id int PRIMARY KEY, b text)", "DROP TABLE a"),
        ("ALTER TABLE a ADD c int NOT NULL", "ALTER TABLE a DROP c"),
        ("ALTER TABLE a ALTER b SET NOT NULL", "ALTER TABLE a ALTER b DROP NOT NULL"),
        ("ALTER TABLE a ALTER b TYPE int USING b::int", "ALTER TABLE a ALTER b TYPE text"),
    ]
    found = travel(place, write(tmp_path, *pairs))
    assert found.failure is None
    facts = [
        [(each.sqlstate, each.column, each.is_certain) for each in trip.fails_on_rows] for trip in found.trips
    ]
    assert facts[:3] == [[], [("23502", "c", True)], [("23502", "b", False)]]
    assert facts[3][0][0] == "22P02"
    assert all(each.up.failure is None and each.left == () for each in found.trips)
    assert found.way_back is not None
    assert found.way_back.failure is None


def test_the_whole_way_back_must_come_to_nothing(place: Throwaway, tmp_path: Path) -> None:
    pairs = [("CREATE TABLE a (id int)", "DROP TABLE a"), ("CREATE TABLE b (id int)", "DROP TABLE b")]
    found = travel(place, write(tmp_path, *pairs))
    assert found.way_back is not None
    assert (found.way_back.left, found.way_back.failure, found.way_back.not_tried) == ((), None, "")


def test_rows_go_through_keys_enums_domains_checks_and_partitions(place: Throwaway, tmp_path: Path) -> None:
    base = """
        CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
        CREATE TYPE state AS ENUM ('open', 'done');
        CREATE TABLE parents (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), code char(2) NOT NULL UNIQUE);
        CREATE TABLE kids (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent uuid NOT NULL REFERENCES parents,
          other uuid NOT NULL REFERENCES parents, at email NOT NULL, how state NOT NULL, tags text[] NOT NULL,
          size numeric(4, 2) NOT NULL CHECK (size BETWEEN 0 AND 10), kind text NOT NULL CHECK (kind IN ('a', 'b')),
          secret bytea NOT NULL CHECK (octet_length(secret) = 32), twice int GENERATED ALWAYS AS (1 + 1) STORED,
          CHECK (parent <> other));
        CREATE TABLE logs (at date NOT NULL, text text) PARTITION BY RANGE (at);
        CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
        ALTER TABLE parents ENABLE ROW LEVEL SECURITY;
        CREATE TABLE lonely (self int NOT NULL REFERENCES lonely, id int PRIMARY KEY);
    """
    up = "ALTER TABLE kids DROP COLUMN kind; ALTER TABLE logs DROP COLUMN text; ALTER TABLE parents DROP COLUMN code"
    down = "ALTER TABLE kids ADD kind text; ALTER TABLE logs ADD text text; ALTER TABLE parents ADD code char(2) UNIQUE"
    found = travel(place, write(tmp_path, (base, None), (up, down)), Travel(only={"2"}))
    assert list(found.without_rows) == ["public.lonely"]
    lost = {each.table: each.column for each in found.trips[0].lost}
    assert lost == {"public.kids": "kind", "public.logs_1": "text", "public.parents": "code"}


def test_a_step_that_only_its_tool_can_run_counts_as_applied(place: Throwaway, tmp_path: Path) -> None:
    (tmp_path / "00001_a.sql").write_text(
        "-- +goose Up\nCREATE TABLE a (id int);\n-- +goose Down\nDROP TABLE a;\n"
    )
    (tmp_path / "00002_b.go").write_text("package m\nfunc init() { goose.AddMigrationContext(up, down) }\n")
    (tmp_path / "00003_c.sql").write_text(
        "-- +goose Up\nCREATE TABLE c (id int);\n-- +goose Down\nDROP TABLE c;\n"
    )
    found = travel(place, tmp_path, of="goose")
    assert [each.is_unknown for each in found.trips] == [False, True, False]
    assert [each.is_doubtful for each in found.trips] == [False, False, True]


def test_files_that_only_go_forward_have_no_way_back(place: Throwaway, tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_text("CREATE TABLE a (id int);")
    (tmp_path / "2_b.sql").write_text("CREATE TABLE b (id int);")
    found = travel(place, tmp_path, of="sqlx")
    assert [each.reversible for each in found.trips] == [Return.NOT_TESTED] * 2
    assert found.way_back is None


def test_a_role_that_may_only_make_databases_can_do_it(place: Throwaway, tmp_path: Path) -> None:
    with connect(place.address) as admin:
        admin.execute("DROP ROLE IF EXISTS howdah_maker")
        admin.execute("CREATE ROLE howdah_maker LOGIN CREATEDB PASSWORD 'maker'")
    address = replace(place.address, user="howdah_maker", password=Secret("maker"))
    pairs = [
        ("CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY)", "DROP SCHEMA s CASCADE"),
        ("CREATE TABLE s.b (a int REFERENCES s.a); CREATE INDEX i ON s.a (id)", "DROP TABLE s.b"),
    ]
    found = travel(Throwaway(address, place.version, is_ours=False), write(tmp_path, *pairs))
    assert [each.mend for each in found.trips] == [(), ("DROP INDEX s.i;",)]
    with connect(place.address) as admin:
        admin.execute("DROP ROLE howdah_maker")
