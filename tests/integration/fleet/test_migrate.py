"""Every database of a project is migrated, behind what it depends on, and each end is told exactly."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from fix_db import connect
from fix_fleet import Fleet
from fix_migrations import history, relations, tables
from howdah.errors import LockTimeout, MigrationFailed
from howdah.fleet.migrate import migrate_all
from howdah.fleet.outcome import Ended, Ending, FleetEvent, Outcome, Started
from howdah.migrate.migrator import Migrator
from howdah.migrate.settings import RunSettings


def endings(outcome: Outcome) -> dict[str, str]:
    return {each.name: each.ending.value for each in outcome.databases}


@pytest.mark.parametrize("parallel", [1, 4, 100])
def test_nine_databases_get_all_their_migrations(fleet: Fleet, parallel: int) -> None:
    for number in range(9):
        fleet.add(f"service_{number}", tables(number))

    outcome = migrate_all(fleet.project, parallel=parallel)

    assert outcome.is_complete
    assert outcome.applied == sum(range(9))
    assert [each.ending for each in outcome.databases] == [Ending.NOTHING_TO_DO] + [Ending.APPLIED] * 8
    for number in range(1, 9):
        address = fleet.addresses[f"service_{number}"]
        assert history(address) == [(number, False)]
        assert relations(address) == {f"t{each}" for each in range(1, number + 1)} | {
            f"t{each}_pkey" for each in range(1, number + 1)
        }
    again = migrate_all(fleet.project, parallel=parallel)
    assert {each.ending for each in again.databases} == {Ending.NOTHING_TO_DO}


def test_a_database_begins_when_what_it_depends_on_has_ended(fleet: Fleet) -> None:
    slow = {"1_a.up.sql": "SELECT pg_sleep(0.2);"}
    fleet.add("c", slow, depends_on=["b"])
    fleet.add("b", slow, depends_on=["a"])
    fleet.add("a", slow)
    fleet.add("other", slow)
    events: list[FleetEvent] = []

    assert migrate_all(fleet.project, parallel=4, on_event=events.append).is_complete

    told = [
        (each.name, "begins") if isinstance(each, Started) else (each.outcome.name, "ended")
        for each in events
        if isinstance(each, Started | Ended)
    ]
    assert [each for each in told if each[0] != "other"] == [
        (name, what) for name in "abc" for what in ("begins", "ended")
    ]
    assert set(told[:2]) == {("a", "begins"), ("other", "begins")}


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_failure_stops_what_depends_on_it_and_nothing_else(fleet: Fleet, parallel: int) -> None:
    bad = {**tables(2), "003_bad.up.sql": "SELECT 1;\nSELECT no_such_column;\n", "004_x.up.sql": "SELECT 4;"}
    fleet.add("auth", bad)
    fleet.add("chat", depends_on=["auth"])
    fleet.add("search", depends_on=["chat"])
    fleet.add("files")
    fleet.add("mail", depends_on=["files"])

    outcome = migrate_all(fleet.project, parallel=parallel)

    assert endings(outcome) == {
        "auth": "failed",
        "chat": "skipped",
        "search": "skipped",
        "files": "applied",
        "mail": "applied",
    }
    auth, chat, search, files, mail = outcome.databases
    assert chat.because_of == search.because_of == ("auth",)
    assert isinstance(auth.error, MigrationFailed)
    assert (auth.error.applied, auth.error.failed, auth.error.pending) == (("1", "2"), "3", ("4",))
    assert str(auth.error.where).endswith("003_bad.up.sql:2")
    assert [each.step.migration.version for each in auth.results] == ["1", "2"]
    assert [len(each.results) for each in (files, mail)] == [3, 3]
    assert relations(fleet.addresses["chat"]) == set()
    assert history(fleet.addresses["auth"]) == [(2, False)]


def test_one_that_cannot_be_reached_or_is_dirty_is_reported_beside_the_others(fleet: Fleet) -> None:
    good = fleet.add("good")
    fleet.add("away", address=replace(good, port="1"))
    dirty = fleet.add("dirty")
    with connect(dirty) as session:
        session.execute("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
        session.execute("INSERT INTO schema_migrations VALUES (2, true)")
    fleet.add("behind", depends_on=["dirty", "away"])

    outcome = migrate_all(fleet.project, parallel=2)

    assert endings(outcome) == {"good": "applied", "away": "failed", "dirty": "failed", "behind": "skipped"}
    codes = [each.error.code for each in outcome.databases if each.error]
    assert codes == ["connection-refused", "dirty-database"]
    assert outcome.databases[3].because_of == ("away", "dirty")


def test_two_entries_of_one_database_take_turns_instead_of_standing_in_each_others_way(fleet: Fleet) -> None:
    slow = {
        "1_a.up.sql": "CREATE TABLE a (id int); SELECT pg_sleep(1);",
        "2_b.up.sql": "CREATE TABLE b (id int);",
    }
    first = fleet.add("first", slow)
    fleet.add("second", slow, address=first)
    # the same once more, by another way to the server
    way = {"127.0.0.1": "localhost"}.get(first.host, first.host)
    fleet.add("third", slow, address=replace(first, host=way))

    outcome = migrate_all(fleet.project, parallel=3, run_settings=RunSettings(lock_limit_seconds=0))

    assert sorted(endings(outcome).values()) == ["applied", "nothing to do", "nothing to do"]
    assert outcome.applied == 2


def test_a_lock_that_somebody_else_holds_fails_that_database_only(fleet: Fleet) -> None:
    held = fleet.add("held")
    fleet.add("free")
    holding, done = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        holding.set()
        done.wait(20)

    other = Migrator(database=held, directory=fleet.root / "m0", on_event=wait)
    thread = threading.Thread(target=other.up)
    thread.start()
    try:
        assert holding.wait(20)
        outcome = migrate_all(fleet.project, parallel=2, run_settings=RunSettings(lock_limit_seconds=0.2))
    finally:
        done.set()
        thread.join()

    assert endings(outcome) == {"held": "failed", "free": "applied"}
    assert isinstance(outcome.databases[0].error, LockTimeout)
    assert "howdah migrate" in (outcome.databases[0].error.why or "")


def test_hostile_names_are_names(fleet: Fleet) -> None:
    names = ["a b", 'quo"te', "semi;colon", "новый", "-- drop", "new\nline", "x" * 200, "$(id)", "🐘"]
    for name in names:
        fleet.add(name, depends_on=names[: len(fleet.addresses)][-1:])

    outcome = migrate_all(fleet.project, parallel=3)

    assert outcome.is_complete
    assert [each.name for each in outcome.databases] == names


def test_ninety_databases_take_a_few_seconds(fleet: Fleet) -> None:
    for number in range(90):
        fleet.add(f"shop_{number:02}", tables(2), depends_on=["shop_00"] if number else [])

    started = time.monotonic()
    outcome = migrate_all(fleet.project, parallel=8)

    assert outcome.is_complete
    assert outcome.applied == 180
    assert time.monotonic() - started < 30


def test_whoever_listens_hears_one_event_at_a_time(fleet: Fleet) -> None:
    for number in range(4):
        fleet.add(f"s{number}")
    inside = 0

    def listen(_: FleetEvent) -> None:
        nonlocal inside
        inside += 1
        time.sleep(0.001)
        assert inside == 1
        inside -= 1

    assert migrate_all(fleet.project, parallel=4, on_event=listen).is_complete
