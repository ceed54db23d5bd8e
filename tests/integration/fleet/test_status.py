"""The status of many databases at once: each told exactly, none hidden by another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fix_db import connect
from fix_fleet import Fleet
from fix_migrations import tables
from howdah.errors import ConfigError, ConnectError, SourceError
from howdah.fleet.migrate import migrate_all
from howdah.fleet.status import Condition, DatabaseStatus, read_statuses


def test_each_database_is_told_in_the_order_of_the_file(fleet: Fleet) -> None:
    for number in range(9):
        fleet.add(f"service_{number}", tables(number))
    migrate_all(fleet.project)
    (fleet.root / "m4" / "9_new.up.sql").write_text("SELECT 1;")

    events: list[DatabaseStatus] = []
    found = read_statuses(fleet.project, on_event=events.append)

    assert [each.name for each in found] == [f"service_{number}" for number in range(9)]
    assert {each.name for each in events} == {each.name for each in found}
    assert [each.applied for each in found] == list(range(9))
    assert [each.version for each in found] == [None, *map(str, range(1, 9))]
    assert [each.pending for each in found] == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert [each.condition for each in found] == [Condition.OK] * 4 + [Condition.PENDING] + [Condition.OK] * 4
    assert {each.format for each in found} == {"golang-migrate"}
    assert all(each.server.split(".")[0].isdecimal() for each in found)


def test_what_is_wrong_with_one_hides_none_of_the_others(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = fleet.add("good")
    fleet.add("away", address=replace(good, port="1"))
    fleet.add("no_such", address=replace(good, database="is not there"))
    fleet.add("no_files", migrations="nowhere")
    fleet.add("twice", {"1_a.up.sql": "", "01_b.up.sql": ""})
    dirty = fleet.add("dirty")
    missing = fleet.add("missing")
    with fleet.file.open("a") as file:
        file.write("[database.nowhere]\nurl = 'postgresql://h/d'\nenv = { port = 'BAD_PORT' }\n")
        file.write(
            f"[database.{dirty.database}]\nurl = 'postgresql://{good.host}:{good.port}'\nuser = 1\n"[:0]
        )
    monkeypatch.setenv("BAD_PORT", "no number")
    for address, state in ((dirty, "2, true"), (missing, "7, false")):
        with connect(address) as session:
            session.execute(
                "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)"
            )
            session.execute(f"INSERT INTO schema_migrations VALUES ({state})".encode())

    found = {each.name: each for each in read_statuses(fleet.project)}

    assert {name: each.condition.value for name, each in found.items()} == {
        "good": "pending",
        "away": "unreachable",
        "no_such": "unreachable",
        "no_files": "unreadable",
        "twice": "unreadable",
        "dirty": "dirty",
        "missing": "ahead",
        "nowhere": "unreadable",
    }
    errors = {name: type(each.error) for name, each in found.items() if each.error}
    assert errors == {
        "away": ConnectError,
        "no_such": ConnectError,
        "no_files": SourceError,
        "twice": SourceError,
        "nowhere": ConfigError,
    }


def test_a_database_without_migrations_of_its_own_never_gets_those_of_another(fleet: Fleet) -> None:
    address = fleet.add("chat")
    with fleet.file.open("a") as file:
        file.write(
            f"[database.cache]\nurl = 'postgresql://postgres@{address.host}:{address.port}/postgres'\n"
        )

    found = read_statuses(fleet.project)

    assert [each.condition for each in found] == [Condition.PENDING, Condition.NO_MIGRATIONS]
    assert migrate_all(fleet.project).databases[1].ending.value == "no migrations"
