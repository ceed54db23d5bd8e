"""`howdah status`, `howdah migrate status --all` and `howdah migrate up --all`, as a person runs them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fix_cli import Cli
from fix_fleet import Fleet
from fix_migrations import history, relations, scalar, tables
from howdah.config.database import DatabaseConfig


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def sleeps(address: DatabaseConfig) -> object:
    """Whether a migration sleeps in this database."""
    return scalar(
        address,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'howdah migrate' AND state = 'active'"
        " AND datname = current_database() AND query LIKE '%pg_sleep%'",
    )


def locks(address: DatabaseConfig) -> object:
    return scalar(
        address,
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )


def test_one_table_for_all_databases(fleet: Fleet) -> None:
    for number in range(9):
        fleet.add(f"service_{number}", tables(number))

    ran = fleet.cli("status")

    assert ran.code == 0, ran
    head, empty, columns, *rows, _, sentence = ran.stdout.splitlines()
    address = fleet.addresses["service_0"]
    assert head.startswith(f"{address.host}:{address.port}: PostgreSQL ")
    assert empty == ""
    assert columns.split() == ["NAME", "STATE", "VERSION", "PENDING", "FORMAT", "DATABASE"]
    assert [row.split()[:4] for row in rows[:2]] == [
        ["service_0", "ok", "-", "0"],
        ["service_1", "pending", "-", "1"],
    ]
    assert len({row.index("golang-migrate") for row in rows if "golang" in row}) == 1
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert "\x1b" not in ran.stdout
    assert sentence == "9 databases: 1 ok, 8 pending; `howdah migrate up --all` applies what is pending"
    for words in (("status", "--all"), ("migrate", "status", "--all"), ("migrate", "--all")):
        assert fleet.cli(*words).stdout == ran.stdout
    assert fleet.cli("status", "--exit-code").code == 1


def test_one_database_by_name_or_url(fleet: Fleet) -> None:
    fleet.add("auth")
    chat = fleet.add("chat")

    ran = fleet.cli("status", "--db", "chat")

    assert ran.code == 0, ran
    assert ran.stdout.splitlines()[1].split()[:2] == ["chat", "pending"]
    assert f"{chat.database} on {chat.host}:{chat.port}" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "1 database: 1 pending; `howdah migrate up` applies what is pending"
    assert fleet.cli("status", "--db", "chta").code == 2


def test_the_json_has_an_entry_for_each(fleet: Fleet) -> None:
    good = fleet.add("good")
    fleet.add("away", address=replace(good, port="1"))

    ran = fleet.cli("status", "--json")

    assert ran.code == 3
    assert ran.json["ok"] is False
    assert ran.json["command"] == "status"
    one, other = ran.json["data"]["databases"]
    assert one["target"] == {
        "host": good.host, "port": good.port, "database": good.database, "user": good.user
    }  # fmt: skip
    assert {
        key: one[key] for key in ("name", "state", "format", "version", "applied", "pending", "dirty")
    } == {
        "name": "good",
        "state": "pending",
        "format": "golang-migrate",
        "version": None,
        "applied": 0,
        "pending": 3,
        "dirty": False,
    }
    assert (other["name"], other["state"], other["version"], other["pending"]) == (
        "away",
        "unreachable",
        None,
        None,
    )
    assert [each["code"] for each in other["problems"]] == ["connection-refused"]
    assert ran.json["problems"][-1]["message"].startswith("away: ")


def test_the_gravest_database_gives_the_exit_code(fleet: Fleet) -> None:
    good = fleet.add("good", {"1_a.up.sql": "SELECT no_such_column;"})
    assert fleet.cli("status").code == 0
    fleet.add("no_files", migrations="nowhere")
    assert fleet.cli("status").code == 2
    fleet.add("away", address=replace(good, port="1"))
    assert fleet.cli("status").code == 3
    ran = fleet.cli("migrate", "up", "--all")
    assert ran.code == 4, ran


def test_all_and_what_is_for_one_database_exclude_each_other(fleet: Fleet) -> None:
    fleet.add("auth", tables(1))
    for words in (
        ("status", "--db", "auth"),
        ("status", "--url", "postgresql://h/d"),
        ("migrate", "status", "--dir", "m0"),
        ("migrate", "up", "--db", "auth"),
        ("migrate", "up", "--to", "1"),
    ):
        ran = fleet.cli(*words, "--all")
        assert ran.code == 2, ran
        assert f"--all is every database of the project; {words[-2]} is for one" in ran.stderr
    assert fleet.cli("migrate", "up", "--parallel", "2").code == 2
    # what is typed goes before what a variable says
    assert "auth" in fleet.cli("status", "--all", env={"HOWDAH_DB": "other"}).stdout
    assert fleet.cli("migrate", "up", "--db", "auth", env={"HOWDAH_ALL": "1"}).code == 0


def test_up_in_all_tells_each_end_and_what_is_left(fleet: Fleet) -> None:
    bad = {**tables(1), "002_bad.up.sql": "SELECT 1;\nSELECT no_such_column;\n", "003_x.up.sql": "SELECT 3;"}
    fleet.add("chat", depends_on=["auth"])
    fleet.add("auth", bad)
    fleet.add("files")

    ran = fleet.cli("migrate", "up", "--all", "--parallel", "2")

    assert ran.code == 4
    *rows, _, sentence = ran.stdout.splitlines()[1:]
    assert [row.split()[:3] for row in rows] == [
        ["chat", "skipped", "-"],
        ["auth", "failed", "1"],
        ["files", "applied", "3"],
    ]
    assert rows[0].endswith("auth")
    assert sentence == "3 databases: 1 skipped, 1 failed, 1 applied; 4 migrations applied"
    assert "files: applied 3 migrations in " in ran.stderr
    assert "auth: failed; applied 1 migration in " in ran.stderr
    assert "chat: skipped because of auth\n" in ran.stderr
    assert "002_bad.up.sql:2: auth: applying 2 (bad) failed: column" in ran.stderr
    assert (
        "1 migration before it in this run took effect and is recorded. 1 migration after it did not run."
        in ran.stderr
    )
    assert "next: howdah migrate up --db auth\n" in ran.stderr
    assert "error: chat: skipped, because auth failed [database-skipped]" in ran.stderr

    (fleet.root / "m1" / "002_bad.up.sql").write_text("SELECT 2;")
    again = fleet.cli("migrate", "up", "--all", "--json", "-q")
    assert again.code == 0, again
    assert {each["name"]: each["result"] for each in again.json["data"]["databases"]} == {
        "chat": "applied",
        "auth": "applied",
        "files": "nothing to do",
    }
    assert [step["version"] for step in again.json["data"]["databases"][1]["steps"]] == ["2", "3"]
    assert again.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("parallel", ["1", "3"])
def test_ctrl_c_cancels_what_runs_starts_no_more_and_tells_it_all(
    fleet: Fleet, number: signal.Signals, parallel: str
) -> None:
    slow = {**tables(1), "002_slow.up.sql": "CREATE TABLE slow (id int);\nSELECT pg_sleep(60);\n"}
    fleet.add("quick", tables(1))
    running = [fleet.add(name, slow) for name in ("auth", "files")][: int(parallel)]
    fleet.add("chat", depends_on=["auth"])
    fleet.add("mail", depends_on=["files"])

    process = fleet.cli.start("migrate", "up", "--all", "--parallel", parallel, "--json")
    wait_for(lambda: all(sleeps(each) for each in running))
    process.send_signal(number)
    started = time.monotonic()
    stdout, stderr = process.communicate(timeout=20)

    assert time.monotonic() - started < 5
    assert process.returncode == 130, stderr
    import json

    found = {each["name"]: each for each in json.loads(stdout)["data"]["databases"]}
    files = "interrupted" if parallel == "3" else "not started"
    assert {name: each["result"] for name, each in found.items()} == {
        "quick": "applied",
        "auth": "interrupted",
        "files": files,
        "chat": "not started",
        "mail": "not started",
    }
    assert found["auth"]["error"]["code"] == "interrupted"
    assert found["auth"]["error"]["data"]["applied"] == ["1"]
    assert [step["version"] for step in found["auth"]["steps"]] == ["1"]
    for address in running:
        assert history(address) == [(1, False)]
        assert relations(address) == {"t1", "t1_pkey"}
        assert locks(address) == 0
    assert relations(fleet.addresses["chat"]) == set()


def test_a_killed_run_is_run_again(fleet: Fleet) -> None:
    slow = {**tables(1), "002_slow.up.sql": "SELECT pg_sleep(2);\nCREATE TABLE slow (id int);\n"}
    addresses = [fleet.add(name, slow) for name in ("auth", "files")]
    process = fleet.cli.start("migrate", "up", "--all", "--parallel", "2")
    wait_for(lambda: all(sleeps(each) for each in addresses))
    process.kill()
    process.communicate()

    ran = fleet.cli("migrate", "up", "--all", "--parallel", "2")

    assert ran.code == 0, ran
    assert [history(each) for each in addresses] == [[(2, False)]] * 2


def test_what_nobody_says_an_address_of_is_said_once(fleet: Fleet, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "howdah.toml").write_text("[database.a]\n[database.b]\n")
    ran = Cli(folder, {"HOME": str(tmp_path), "HOWDAH_STATE_DIR": str(tmp_path / "state")})("status")
    assert ran.code == 2
    assert ran.stderr.count("nothing says which database to use") == 1


def test_a_name_that_is_no_plain_text_stays_in_its_line(fleet: Fleet) -> None:
    for name in ("two\nlines", "\x1b[31mred", "wide 漢字", "plain"):
        fleet.add(name, tables(0))

    ran = fleet.cli("status")

    assert ran.code == 0
    assert "\x1b" not in ran.stdout
    assert "two\\nlines" in ran.stdout
    assert len(ran.stdout.splitlines()) == 9


def test_the_plan_of_all_is_in_the_order_of_the_run_and_changes_nothing(fleet: Fleet) -> None:
    fleet.add("chat", tables(2), depends_on=["auth"])
    fleet.add("auth", {"1_a.up.sql": "SELECT 1;", "2_b.up.sql": "CREATE INDEX CONCURRENTLY x ON y (z);"})
    fleet.add("broken", migrations="nowhere")

    ran = fleet.cli("migrate", "plan", "--all")

    assert ran.code == 2
    _, *rows, _, sentence = ran.stdout.splitlines()
    assert [row.split()[:2] for row in rows] == [["auth", "1"], ["auth", "2"], ["chat", "1"], ["chat", "2"]]
    assert "outside a transaction" in rows[1]
    assert sentence == "3 databases: 4 to run in 2 of them; nothing can run in 1"
    assert "error: " in ran.stderr
    assert "broken: " in ran.stderr
    assert relations(fleet.addresses["chat"]) == set()
    data = fleet.cli("migrate", "plan", "--all", "--json").json["data"]["databases"]
    assert [(each["name"], each["depends_on"], len(each["steps"])) for each in data] == [
        ("auth", [], 2),
        ("chat", ["auth"], 2),
        ("broken", [], 0),
    ]


@pytest.mark.parametrize("action", ["status", "plan", "up", "new"])
def test_a_database_without_migrations_never_gets_those_of_another(fleet: Fleet, action: str) -> None:
    chat = fleet.add("chat")
    with fleet.file.open("a") as project:
        project.write(
            f"[database.cache]\nurl = 'postgresql://{chat.user}@{chat.host}:{chat.port}/postgres'\n"
        )

    ran = fleet.cli("migrate", action, "--db", "cache", *(["add_x"] if action == "new" else []))

    assert ran.code == 2, ran
    assert "nothing says which migrations are those of 'cache' [no-migrations-directory]" in ran.stderr
    assert "no migrations in this project" in fleet.cli("doctor", "--db", "cache").stdout
