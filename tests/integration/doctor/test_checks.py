"""Each check finds what is wrong on a real server, and says nothing where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fix_db import connect
from fix_gate import Gate
from fix_pgbouncer import free_port
from fix_proxy import Conversation, stay_silent
from fix_tls import Keys
from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings, DevSettings, Project, SetupSettings
from howdah.config.resolve import Resolved
from howdah.doctor.checks import CHECKS
from howdah.doctor.checkup import Checkup, Result, examine
from howdah.findings import Finding, Severity

NAMES = [check.name for check in CHECKS]


def look(
    database: DatabaseConfig,
    tmp_path: Path,
    *,
    direct: DatabaseConfig | None = None,
    dev: DevSettings | None = None,
    file: Path | None = None,
    **settings: object,
) -> Checkup:
    named = DatabaseSettings(name="kaimu", **settings)  # type: ignore[arg-type]
    project = Project(tmp_path, file=file, databases=(named,), dev=dev or DevSettings())
    return examine(Resolved(project, named, database, direct, source="a test"))


def result(checkup: Checkup, name: str) -> Result:
    return next(each for each in checkup.results if each.name == name)


def finding(checkup: Checkup, code: str) -> Finding:
    return next(each for each in checkup.findings if each.code == code)


def codes(checkup: Checkup) -> list[str]:
    return [each.code for each in checkup.findings]


def test_a_good_database_has_nothing_to_tell(database: DatabaseConfig, tmp_path: Path) -> None:
    checkup = look(database, tmp_path)
    assert [each.name for each in checkup.results] == NAMES
    assert checkup.findings == ()
    assert checkup.is_fine
    assert checkup.is_connected
    assert checkup.next == "howdah migrate new create_users --dir migrations"  # there are none
    assert all(each.severity is Severity.OK for each in checkup.results)


@pytest.mark.parametrize(
    ("user", "database", "check", "code"),
    [
        ("app", "postgres", "login", "no-password"),
        ("ghost", "postgres", "login", "unknown-role"),
        ("nobody_knows", "postgres", "login", "no-hba-entry"),
        ("open", "nowhere", "database", "unknown-database"),
        ("open", "private", "database", "no-connect-privilege"),
        ("open", "closed", "database", "database-not-accepting"),
        ("open", "full_up", "database", "database-connection-limit"),
    ],
)
def test_a_refusal_stops_what_depends_on_it(
    gate: Gate, tmp_path: Path, user: str, database: str, check: str, code: str
) -> None:
    checkup = look(gate.address(user, database=database, passfile="/nowhere"), tmp_path)
    place = NAMES.index(check)
    assert [each.severity for each in checkup.results[:place]] == [Severity.OK] * place
    assert checkup.results[place].severity is Severity.ERROR
    assert {each.severity for each in checkup.results[place + 1 :]} == {None}
    assert {each.summary for each in checkup.results[place + 1 :]} == {f"not checked: needs {check}"}
    assert codes(checkup) == [code]
    assert not checkup.is_fine
    assert not checkup.is_connected
    assert checkup.next.startswith("howdah ")


@pytest.mark.parametrize(
    ("config", "check", "code", "next_command"),
    [
        (DatabaseConfig("nowhere.invalid", "5432", "x"), "name", "host-not-found", "howdah doctor"),
        (DatabaseConfig("127.0.0.1", "PORT", "x"), "network", "connection-refused", "howdah dev up"),
        (DatabaseConfig("/nowhere", "5432", "x"), "network", "socket-missing", "howdah dev up"),
        (DatabaseConfig("h", "70000", "x"), "configuration", "bad-address", "howdah doctor"),
    ],
)
def test_a_way_that_leads_nowhere_is_told_at_its_step(
    tmp_path: Path, config: DatabaseConfig, check: str, code: str, next_command: str
) -> None:
    config = replace(config, port=config.port.replace("PORT", str(free_port())))
    checkup = look(config, tmp_path)
    assert result(checkup, check).severity is Severity.ERROR
    assert codes(checkup) == [code]
    assert checkup.next == next_command


def test_a_wrong_certificate_is_told_with_what_it_says(tls_gate: Gate, keys: Keys, tmp_path: Path) -> None:
    options = {"sslmode": "verify-full", "sslrootcert": keys.file("ca.crt"), "hostaddr": "127.0.0.1"}
    checkup = look(replace(tls_gate.address("open"), host="db.example.test", options=options), tmp_path)
    assert result(checkup, "tls").severity is Severity.ERROR
    why = finding(checkup, "tls-wrong-host").why
    assert why is not None
    assert "The certificate is for localhost, 127.0.0.1, not for db.example.test." in why


def test_the_certificate_is_shown(tls_gate: Gate, tmp_path: Path) -> None:
    checkup = look(tls_gate.address("open", sslmode="require"), tmp_path)
    assert "certificate of localhost by howdah test authority until 20" in result(checkup, "tls").summary


def test_a_server_that_wants_tls_is_told_with_the_variable_to_set(tls_gate: Gate, tmp_path: Path) -> None:
    address = tls_gate.address("needs_tls", password="right", sslmode="disable")
    checkup = look(replace(address, origin={"sslmode": "DBSSL in .env"}), tmp_path)
    assert codes(checkup) == ["tls-required"]
    assert checkup.next == "DBSSL=require howdah doctor"


def test_a_host_that_does_not_answer_is_a_warning_where_another_does(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    config = replace(database, host=f"nowhere.invalid,{database.host}", port=f"5432,{database.port}")
    checkup = look(config, tmp_path)
    assert result(checkup, "name").severity is Severity.WARNING
    assert codes(checkup) == ["unknown-host"]
    assert checkup.is_connected


def test_a_silent_server_is_told(listen: Callable[[Conversation], int], tmp_path: Path) -> None:
    config = DatabaseConfig("127.0.0.1", str(listen(stay_silent)), "x", options={"connect_timeout": "1"})
    checkup = look(config, tmp_path)
    assert codes(checkup) == ["server-silent"]
    assert checkup.next == "howdah doctor --wait 60"


def test_a_role_that_may_not_create_tables_is_told_with_the_statement(gate: Gate, tmp_path: Path) -> None:
    with connect(gate.superuser.with_database("template1")) as session:
        session.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        session.execute("CREATE DATABASE rights_test OWNER postgres")
    checkup = look(gate.address("open", database="rights_test"), tmp_path)
    found = finding(checkup, "no-create-privilege")
    assert found.fix is not None
    statement = found.fix.partition("run: ")[2]
    with connect(gate.superuser.with_database("rights_test")) as session:
        session.execute(statement.encode())
    assert codes(look(gate.address("open", database="rights_test"), tmp_path)) == []


def test_a_search_path_that_leads_nowhere_is_told(database: DatabaseConfig, tmp_path: Path) -> None:
    config = replace(database, options={"options": "-c search_path=nowhere"})
    assert codes(look(config, tmp_path)) == ["no-schema"]


def test_a_missing_extension_is_told_from_one_that_cannot_be_had(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    setup = SetupSettings(extensions=("plpgsql", "pg_trgm", "no_such_extension"))
    checkup = look(database, tmp_path, setup=setup)
    missing, absent = finding(checkup, "extension-missing"), finding(checkup, "extension-not-installed")
    assert "pg_trgm" in missing.message
    assert missing.next == ("howdah setup apply",)
    assert "no_such_extension" in absent.message
    assert "plpgsql is there" in result(checkup, "extensions").summary


def test_a_setup_that_is_not_complete_is_told(database: DatabaseConfig, tmp_path: Path) -> None:
    setup = SetupSettings(schemas=("app_schema",))
    checkup = look(database, tmp_path, setup=setup, file=tmp_path / "howdah.toml")
    found = finding(checkup, "setup-incomplete")
    assert found.why is not None
    assert "app_schema" in found.why
    assert checkup.next == "howdah setup apply"


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_does_not_keep_sessions_needs_a_direct_address(
    pgbouncer: Callable[..., DatabaseConfig], database: DatabaseConfig, tmp_path: Path, mode: str
) -> None:
    address = pgbouncer(pool_mode=mode)
    alone = look(address, tmp_path)
    assert finding(alone, "transaction-pooler").severity is Severity.WARNING
    assert result(alone, "pooler").summary.startswith(f"{mode} mode: ")
    assert look(address, tmp_path, direct=database).findings == ()


def test_a_pooler_that_keeps_sessions_is_fine(
    pgbouncer: Callable[..., DatabaseConfig], tmp_path: Path
) -> None:
    checkup = look(pgbouncer(pool_mode="session"), tmp_path)
    assert checkup.findings == ()
    assert result(checkup, "pooler").summary.startswith("session mode: ")


def test_a_direct_address_must_be_direct_and_work(
    pgbouncer: Callable[..., DatabaseConfig], tmp_path: Path
) -> None:
    address = pgbouncer(pool_mode="transaction")
    checkup = look(address, tmp_path, direct=address)
    assert finding(checkup, "transaction-pooler").severity is Severity.ERROR
    dead = look(address, tmp_path, direct=replace(address, port=str(free_port())))
    assert finding(dead, "connection-refused").severity is Severity.ERROR


def test_another_major_version_than_production_runs_is_noted(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    checkup = look(database, tmp_path, dev=DevSettings(major=9))
    assert codes(checkup) == ["other-major-version"]
    assert checkup.is_fine


def test_a_server_that_takes_no_writes_is_told(database: DatabaseConfig, tmp_path: Path) -> None:
    config = replace(database, options={"options": "-c default_transaction_read_only=on"})
    assert "read-only-server" in codes(look(config, tmp_path))


def test_a_database_without_encoding_is_told(database: DatabaseConfig, tmp_path: Path) -> None:
    name = f"{database.database}_ascii"
    with connect(database) as session:
        session.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'".encode())
    try:
        assert codes(look(database.with_database(name), tmp_path)) == ["no-encoding"]
    finally:
        with connect(database) as session:
            session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_pending_and_dirty_migrations_are_told(database: DatabaseConfig, tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    for number in (1, 2):
        (tmp_path / "migrations" / f"00000{number}_x.up.sql").write_text("SELECT 1;\n")
        (tmp_path / "migrations" / f"00000{number}_x.down.sql").write_text("SELECT 1;\n")
    pending = look(database, tmp_path)
    assert codes(pending) == ["pending-migrations"]
    assert pending.next == "howdah migrate up"
    assert pending.is_fine
    with connect(database) as session:
        session.execute("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
        session.execute("INSERT INTO schema_migrations VALUES (1, true)")
    dirty = look(database, tmp_path)
    assert finding(dirty, "dirty-database").severity is Severity.ERROR
    assert dirty.next == "howdah migrate resolve 1"
    with connect(database) as session:
        session.execute("UPDATE schema_migrations SET version = 7, dirty = false")
    assert "database-ahead" in codes(look(database, tmp_path))


def test_columns_are_compared_with_what_the_application_expects(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    with connect(database) as session:
        session.execute("CREATE TABLE prices (amount numeric(10, 2), at timestamptz(3), tags text[])")
        session.execute('ALTER TABLE prices ADD "Name" varchar(20)')
    good = {
        "prices.amount": "numeric(10,2)",
        "public.prices.amount": "decimal",
        "prices.Name": "varchar(20)",
        "prices.at": "timestamp(3) with time zone",
        "prices.tags": "text[]",
    }
    assert look(database, tmp_path, expect=good).findings == ()


@pytest.mark.parametrize(
    ("name", "wanted", "code"),
    [
        ("prices.amount", "numeric(12, 2)", "unexpected-type"),
        ("prices.amount", "text", "unexpected-type"),
        ("prices.nowhere", "text", "missing-column"),
        ("nowhere.amount", "text", "missing-column"),
        ("prices.amount", "vektor(3)", "bad-expectation"),
    ],
)
def test_a_type_that_differs_is_told_from_one_that_is_missing(
    database: DatabaseConfig, tmp_path: Path, name: str, wanted: str, code: str
) -> None:
    with connect(database) as session:
        session.execute("CREATE TABLE prices (amount numeric(10, 2))")
    checkup = look(database, tmp_path, expect={name: wanted})
    assert codes(checkup) == [code]


def test_an_examination_changes_nothing(database: DatabaseConfig, tmp_path: Path) -> None:
    def objects() -> object:
        with connect(database) as session:
            return session.execute("SELECT count(*), max(oid) FROM pg_class").fetchone()

    before = objects()
    look(database, tmp_path, setup=SetupSettings(extensions=("pg_trgm",)), file=tmp_path / "howdah.toml")
    assert objects() == before


def test_a_replica_is_told_and_not_asked_for_a_setup(replica: DatabaseConfig, tmp_path: Path) -> None:
    setup = SetupSettings(extensions=("pg_trgm",), schemas=("app_schema",))
    checkup = look(replica, tmp_path, setup=setup, file=tmp_path / "howdah.toml")
    assert codes(checkup) == ["read-only-server"]
    assert result(checkup, "server").summary.endswith("a replica")
    assert result(checkup, "setup").summary == "that of the primary"
