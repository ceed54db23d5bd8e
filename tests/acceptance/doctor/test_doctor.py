"""`howdah doctor` as a person uses it: one line a step, the problem, and the exact command to type."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from fix_cli import Cli
from fix_gate import Gate
from fix_pgbouncer import free_port
from howdah.config.database import DatabaseConfig
from howdah.config.url import format_url

KAIMU = """
[database.kaimu]
[database.kaimu.env]
host = "DBHOST"
port = "DBPORT"
name = "DBNAME"
user = "DBUSERNAME"
password = "DBPASSWORD"
sslmode = "DBSSL"
"""
MANAGED = "postgresql://user:p%40ss'w%20rd@db.example.test:25060/defaultdb?sslmode=require"

MakeCli = Callable[[Path, Mapping[str, str]], Cli]


def url_of(config: DatabaseConfig) -> str:
    return format_url(config, show_password=True)


def variables(config: DatabaseConfig) -> dict[str, str]:
    return {
        "DBHOST": config.host,
        "DBPORT": config.port,
        "DBNAME": config.database,
        "DBUSERNAME": config.user,
        "DBPASSWORD": config.password.reveal() if config.password else "",
    }


def test_all_is_well(cli: Cli, database: DatabaseConfig) -> None:
    done = cli("doctor", "--url", url_of(database))
    assert done.code == 0, done
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == f"{database.database} on {database.host}:{database.port} as {database.user}"
    assert [line.split()[:2] for line in lines[2:5]] == [
        ["✓", "configuration"],
        ["✓", "name"],
        ["✓", "network"],
    ]
    assert lines[-1].startswith("All is well. Next: howdah migrate new create_users --dir migrations --url ")
    assert database.password is not None
    assert database.password.reveal() not in done.stdout


def test_what_is_to_type_next_works(cli: Cli, database: DatabaseConfig) -> None:
    environ = {"DATABASE_URL": url_of(database)}
    first = cli("doctor", "--json", env=environ).json["data"]["next"]
    assert first == "howdah migrate new create_users --dir migrations"
    assert cli(*first.split()[1:], env=environ).code == 0
    assert cli("doctor", "--json", env=environ).json["data"]["next"] == "howdah migrate up"
    assert cli("migrate", "up", env=environ).code == 0
    last = cli("doctor", env=environ)
    assert last.stdout.splitlines()[-1] == "All is well. Next: howdah migrate status", last
    assert cli("migrate", "status", env=environ).code == 0


def test_variables_of_the_application_are_understood_and_named(cli: Cli, database: DatabaseConfig) -> None:
    (cli.directory / "howdah.toml").write_text(KAIMU)
    done = cli("doctor", env=variables(database))
    assert "host from DBHOST" in done.stdout, done
    assert done.code in (0, 1)


def test_a_wrong_password_is_told_with_its_sqlstate_and_nothing_secret(cli: Cli, gate: Gate) -> None:
    done = cli("doctor", "--url", url_of(gate.address("app", password="s3cret-w0rd")))
    assert done.code == 3, done
    assert "✗ login          password authentication failed" in done.stdout
    assert "not checked: needs login" in done.stdout
    assert "SQLSTATE 28P01" in done.stderr
    assert "[wrong-password]" in done.stderr
    assert done.stderr.rstrip().splitlines()[-1].startswith("  next: howdah setup apply --admin-url ")
    assert "s3cret" not in done.stdout + done.stderr


def test_the_json_has_every_step_and_the_next_command(cli: Cli, gate: Gate) -> None:
    done = cli("doctor", "--json", "--url", url_of(gate.address("open", database="nowhere")))
    answer = done.json
    assert done.code == 3
    assert answer["ok"] is False
    assert answer["command"] == "doctor"
    steps = {step["name"]: step["result"] for step in answer["data"]["checks"]}
    assert steps["login"] == "ok"
    assert steps["database"] == "error"
    assert steps["migrations"] == "not-checked"
    (problem,) = answer["problems"]
    assert problem["code"] == "unknown-database"
    assert answer["data"]["next"] == problem["next"][0]
    assert answer["data"]["next"].startswith("howdah setup apply --url ")


def test_the_next_command_can_be_typed_as_it_is(cli: Cli, tls_gate: Gate) -> None:
    (cli.directory / "howdah.toml").write_text(KAIMU)
    address = tls_gate.address("needs_tls", password="right")
    first = cli("doctor", env={**variables(address), "DBSSL": "disable"})
    assert first.code == 3
    assert "[tls-required]" in first.stderr
    command = first.stderr.rstrip().splitlines()[-1].removeprefix("  next: ")
    assignment, *words = shlex.split(command)
    name, _, value = assignment.partition("=")
    second = cli(*words[1:], env={**variables(address), name: value})
    assert "✓ database" in second.stdout, second


def test_findings_exit_with_one(cli: Cli, database: DatabaseConfig) -> None:
    config = f"{url_of(database)}?options=-c%20search_path%3Dnowhere"
    done = cli("doctor", "--url", config)
    assert done.code == 1, done
    assert "! rights" in done.stdout
    assert "[no-schema]" in done.stderr


def test_a_managed_url_becomes_the_applications_variables_and_back(cli: Cli) -> None:
    (cli.directory / "howdah.toml").write_text(KAIMU)
    split = cli("doctor", "--print-env", "--url", MANAGED)
    assert split.code == 0, split
    values = dict(line.split("=", 1) for line in shlex.split(split.stdout))
    assert values == {
        "DBHOST": "db.example.test",
        "DBPORT": "25060",
        "DBNAME": "defaultdb",
        "DBUSERNAME": "user",
        "DBPASSWORD": "p@ss'w rd",
        "DBSSL": "require",
    }
    joined = cli("doctor", "--print-url", env=values)
    again = cli("doctor", "--print-env", "--url", joined.stdout.strip())
    assert again.stdout == split.stdout


def test_without_a_project_the_variables_are_libpqs(cli: Cli) -> None:
    done = cli("doctor", "--print-env", "--url", MANAGED)
    assert dict(line.split("=", 1) for line in shlex.split(done.stdout))["PGHOST"] == "db.example.test"


def test_an_option_without_a_variable_is_told(cli: Cli) -> None:
    (cli.directory / "howdah.toml").write_text(KAIMU)
    done = cli("doctor", "--print-env", "--url", f"{MANAGED}&target_session_attrs=read-write")
    assert "target_session_attrs" not in done.stdout
    assert "[option-without-variable]" in done.stderr


def test_libpq_has_a_variable_for_more_than_the_file_can_name(cli: Cli) -> None:
    done = cli("doctor", "--print-env", "--url", f"{MANAGED}&channel_binding=prefer")
    assert "PGCHANNELBINDING='prefer'" in done.stdout
    assert done.stderr == ""


def test_an_option_without_a_variable_is_not_shown_where_it_is_secret(cli: Cli) -> None:
    done = cli("doctor", "--print-env", "--url", "postgresql://h/d?sslpassword=geheim")
    assert "sslpassword" in done.stderr
    assert "geheim" not in done.stdout + done.stderr


def test_quiet_leaves_notes_out_and_says_what_is_wrong(cli: Cli) -> None:
    url = "postgresql:///x?host=/nowhere&sslmode=require"
    assert "[tls-on-socket]" in cli("doctor", "--url", url).stderr
    quiet = cli("doctor", "-q", "--url", url)
    assert "[tls-on-socket]" not in quiet.stderr
    assert "[socket-missing]" in quiet.stderr
    assert quiet.stdout == ""


def test_waiting_ends_with_the_limit(cli: Cli) -> None:
    started = time.monotonic()
    done = cli("doctor", "--wait", "1", "--url", f"postgresql://app@127.0.0.1:{free_port()}/x")
    assert done.code == 3
    assert 1 <= time.monotonic() - started < 10
    assert "[connection-refused]" in done.stderr


def test_waiting_does_not_wait_for_what_will_not_come(cli: Cli, gate: Gate) -> None:
    started = time.monotonic()
    done = cli("doctor", "--wait", "60", "--url", url_of(gate.address("open", database="nowhere")))
    assert done.code == 3
    assert time.monotonic() - started < 20


def test_nothing_says_which_database(cli: Cli) -> None:
    done = cli("doctor")
    assert done.code == 2
    assert "[no-address]" in done.stderr


def test_output_without_unicode_is_readable(cli: Cli, database: DatabaseConfig) -> None:
    done = cli("doctor", "--url", url_of(database), env={"PYTHONIOENCODING": "ascii"})
    assert done.code == 0, done
    assert "+ network" in done.stdout
