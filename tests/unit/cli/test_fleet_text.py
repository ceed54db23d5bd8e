"""What many databases show: aligned, each named, the same said once."""

from __future__ import annotations

from dataclasses import replace

from howdah.cli import exit_codes
from howdah.cli.fleet_problems import of_databases
from howdah.cli.fleet_text import (
    outcome_code,
    outcome_data,
    outcome_problems,
    outcome_text,
    statuses_code,
    statuses_data,
    statuses_text,
)
from howdah.config.database import DatabaseConfig, Secret
from howdah.errors import ConfigError, ConnectError, MigrationFailed, RefusedError, Where
from howdah.findings import Finding, Severity
from howdah.fleet.outcome import DatabaseOutcome, Ending, Outcome
from howdah.fleet.status import DatabaseStatus
from howdah.migrate.history import Applied, History, HistoryTable
from howdah.migrate.status import Status

ADDRESS = DatabaseConfig(host="db.test", port="5432", database="auth", user="app", password=Secret("s3cret"))
HISTORY = History(HistoryTable("auth", "public", "schema_migrations"), exists=True, applied=(Applied("7"),))
STATUS = Status(HISTORY, (), (), server="17.2 (Debian 17.2-1)")


def of(name: str, **changes: object) -> DatabaseStatus:
    known = DatabaseStatus(name, ADDRESS.with_database(name), format="goose", status=STATUS)
    return replace(known, **changes)  # type: ignore[arg-type]


def test_what_all_have_in_common_stands_above_the_table() -> None:
    assert statuses_text([of("auth"), of("a_longer_name")]) == (
        "db.test:5432: PostgreSQL 17.2\n"
        "\n"
        "NAME           STATE  VERSION  PENDING  FORMAT\n"
        "auth           ok     7        0        goose\n"
        "a_longer_name  ok     7        0        goose\n"
        "\n"
        "2 databases: 2 ok"
    )


def test_what_differs_has_a_column() -> None:
    other = of("b", target=replace(ADDRESS, host="other.test"), status=replace(STATUS, server="16.1"))
    assert statuses_text([of("auth"), other]).splitlines()[:3] == [
        "NAME  STATE  VERSION  PENDING  FORMAT  SERVER  DATABASE",
        "auth  ok     7        0        goose   17.2    auth on db.test:5432",
        "b     ok     7        0        goose   16.1    auth on other.test:5432",
    ]
    renamed = of("b", target=ADDRESS.with_database("b_v2"))
    assert statuses_text([of("auth"), renamed]).splitlines()[2:5] == [
        "NAME  STATE  VERSION  PENDING  FORMAT  DATABASE",
        "auth  ok     7        0        goose   auth",
        "b     ok     7        0        goose   b_v2",
    ]


def test_one_database_is_a_line_with_all_of_it() -> None:
    assert statuses_text([of("auth")]).splitlines() == [
        "NAME  STATE  VERSION  PENDING  FORMAT  SERVER  DATABASE",
        "auth  ok     7        0        goose   17.2    auth on db.test:5432",
        "",
        "1 database: 1 ok",
    ]


def test_wide_letters_keep_the_columns() -> None:
    lines = statuses_text([of("漢字"), of("auth")]).splitlines()
    assert lines[2:5] == [
        "NAME  STATE  VERSION  PENDING  FORMAT",
        "漢字  ok     7        0        goose",
        "auth  ok     7        0        goose",
    ]


def test_the_entry_of_a_database_in_the_json() -> None:
    error = ConnectError("no", code="connection-refused")
    away = DatabaseStatus("chat", error=error)
    data = statuses_data([of("auth"), away])["databases"]
    assert data[0] == {
        "name": "auth",
        "target": {"host": "db.test", "port": "5432", "database": "auth", "user": "app"},
        "state": "ok",
        "server_version": "17.2",
        "format": "goose",
        "history_table": '"public"."schema_migrations"',
        "version": "7",
        "dirty": False,
        "applied": 0,
        "pending": 0,
        "problems": [],
    }
    nothing = dict.fromkeys(data[0], None)
    assert data[1] == nothing | {
        "name": "chat",
        "state": "unreachable",
        "problems": [Finding.of(error).as_json()],
    }


def test_the_gravest_database_gives_the_exit_code() -> None:
    good = of("auth")
    bad = of("b", status=replace(STATUS, findings=(Finding("missing-migration", "no file"),)))
    wrong, away = of("c", error=ConfigError("no")), of("d", error=ConnectError("no"))
    refused = of("e", error=RefusedError("no"))
    assert statuses_code([], exit_code=True) == exit_codes.DONE
    for worst, code in ((good, 0), (bad, 1), (wrong, 2), (away, 3), (refused, 5)):
        assert statuses_code([worst, good], exit_code=False) == code
    assert statuses_code([refused, away, bad], exit_code=False) == exit_codes.REFUSED


def test_a_failure_is_graver_than_a_refusal_and_an_interruption_than_all() -> None:
    failed = DatabaseOutcome("a", Ending.FAILED, error=MigrationFailed("no"))
    refused = DatabaseOutcome("b", Ending.FAILED, error=RefusedError("no"))
    skipped = DatabaseOutcome("c", Ending.SKIPPED, because_of=("a",))
    stopped = DatabaseOutcome("d", Ending.NOT_STARTED)
    assert outcome_code(Outcome((skipped,))) == exit_codes.DONE
    assert outcome_code(Outcome((refused, failed, skipped))) == exit_codes.FAILED
    assert outcome_code(Outcome((refused, failed, stopped))) == exit_codes.INTERRUPTED


def test_the_outcome_of_a_database_in_the_json() -> None:
    error = MigrationFailed("applying 2 failed")
    error.applied, error.failed, error.pending = ("1",), "2", ("3",)
    run = Outcome(
        (
            DatabaseOutcome("auth", Ending.FAILED, ADDRESS, error=error, seconds=0.25),
            DatabaseOutcome("chat", Ending.SKIPPED, because_of=("auth",)),
        )
    )
    failed, skipped = outcome_data(run)["databases"]
    assert failed["error"]["data"] == {
        "applied": ["1"], "failed": "2", "pending": ["3"], "sqlstate": None
    }  # fmt: skip
    assert {key: failed[key] for key in ("result", "steps", "seconds", "because_of")} == {
        "result": "failed",
        "steps": [],
        "seconds": 0.25,
        "because_of": [],
    }
    assert (skipped["result"], skipped["because_of"], skipped["error"]) == ("skipped", ["auth"], None)
    assert "s3cret" not in str(outcome_data(run))
    assert outcome_text(run).splitlines()[1:3] == [
        "auth  failed   -        -       250 ms",
        "chat  skipped  -        -       -       auth",
    ]
    assert [finding.code for _, finding in outcome_problems(run)] == ["migration-failed", "database-skipped"]


def test_problems_that_differ_in_nothing_but_the_database_are_one() -> None:
    found = [
        (name, Finding("connection-refused", f"cannot connect to {name} on h", next=("howdah doctor",)))
        for name in ("a1", "b2", "c3", "d4")
    ]
    edited = Finding("modified-migration", "edited", Severity.WARNING, where=Where("a/1.sql"))
    found += [("a1", edited), ("b2", replace(edited, where=Where("b/1.sql")))]

    shown = of_databases(found, 4)

    assert [each.message for each in shown] == [
        "a1, b2, c3 and 1 more: cannot connect to a1 on h",
        "a1: edited",
        "b2: edited",
    ]
    assert shown[0].next == ("howdah doctor --db a1",)


def test_commands_that_say_which_database_or_take_none_stay_as_they_are() -> None:
    commands = (
        "howdah migrate up --all",
        "howdah dev up",
        "howdah doctor --url x",
        "psql",
        "howdah migrate up",
    )
    (shown,) = of_databases([("it's", Finding("x", "y", next=commands))], 2)
    assert shown.next == (*commands[:4], "howdah migrate up --db 'it'\"'\"'s'")
    assert of_databases([("a", Finding("x", "y", next=commands))], 1)[0].next == commands
