"""`howdah dev` as a person uses it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from fix_cli import Cli, Ran, command
from howdah.pg.programs import Programs
from howdah.server.local import LocalServer
from howdah.server.state import locked, server_directory, write_private

# other tests prove what fsync is for; here it only costs time
QUICK = '[dev.settings]\nfsync = "off"\n'
SETTINGS = """
[database.shop]
migrations = "migrations"

[database.shop.env]
host = "SHOP_HOST"
port = "SHOP_PORT"
name = "SHOP_NAME"
user = "SHOP_USER"
password = "SHOP_PASSWORD"
sslmode = "SHOP_SSL"

[database.shop.setup]
owner = "keeper"

[database.shop.setup.role.keeper]
password-env = "SHOP_PASSWORD"
"""


@pytest.fixture
def state(open_path: Path) -> Iterator[Path]:
    """The state directory; the servers in it are destroyed after the test."""
    directory = open_path / "state"
    yield directory
    for server in list(directory.glob("*/server.json")):
        LocalServer(server.parent).destroy()


@pytest.fixture
def new_dev(open_path: Path, state: Path, pg_programs: Programs) -> Cli:
    """howdah in a project with one database and two migrations, on the PostgreSQL of this test run."""
    root = open_path / "shop"
    write_project(root)
    return Cli(root, environment(open_path, state, pg_programs))


@pytest.fixture
def dev(new_dev: Cli, put_data: Callable[[Path], None]) -> Cli:
    """The same, but initdb ran already."""
    put_data(server_directory(new_dev.directory, new_dev.environ))
    return new_dev


def environment(home: Path, state: Path, programs: Programs) -> dict[str, str]:
    return {
        "HOME": str(home),
        "NO_COLOR": "1",
        "HOWDAH_STATE_DIR": str(state),
        "HOWDAH_PG_BINDIR": str(programs.bindir),
    }


def write_project(root: Path, settings: str = SETTINGS) -> None:
    migrations = root / "migrations"
    migrations.mkdir(parents=True)
    (root / "howdah.toml").write_text(QUICK + settings, encoding="utf-8")
    for number, table in enumerate(("wares", "orders"), start=1):
        up = f"CREATE TABLE {table} (id bigint PRIMARY KEY);"
        (migrations / f"{number:06}_create_{table}.up.sql").write_text(up, encoding="utf-8")
        down = f"DROP TABLE {table};"
        (migrations / f"{number:06}_create_{table}.down.sql").write_text(down, encoding="utf-8")


def done(ran: Ran) -> Ran:
    assert ran.code == 0, str(ran)
    return ran


def variables(ran: Ran) -> dict[str, str]:
    """The variables on stdout, as a shell reads them."""
    return dict(word.split("=", 1) for word in shlex.split(ran.stdout))


def tables(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return [name for (name,) in rows]


def test_up_brings_up_server_role_database_and_schema(new_dev: Cli) -> None:
    ran = done(new_dev("dev", "up"))
    assert "(created)" in ran.stderr
    printed = variables(ran)
    assert set(printed) == {"SHOP_HOST", "SHOP_PORT", "SHOP_NAME", "SHOP_USER", "SHOP_PASSWORD", "SHOP_SSL"}
    with psycopg.connect(
        host=printed["SHOP_HOST"],
        port=printed["SHOP_PORT"],
        dbname=printed["SHOP_NAME"],
        user=printed["SHOP_USER"],
        password=printed["SHOP_PASSWORD"],
        sslmode=printed["SHOP_SSL"],
    ) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("keeper", "shop")
        assert connection.execute("SELECT version, dirty FROM schema_migrations").fetchone() == (2, False)
    assert "2 migrations applied" in ran.stderr
    assert "FATAL" not in done(new_dev("dev", "logs")).stdout


def test_up_again_changes_nothing_and_prints_the_same(dev: Cli) -> None:
    first = done(dev("dev", "up"))
    again = done(dev("dev", "up"))
    assert again.stdout == first.stdout
    assert "already running" in again.stderr
    assert "nothing to migrate" in again.stderr


def test_bare_dev_is_up(dev: Cli) -> None:
    assert "SHOP_HOST" in variables(done(dev("dev")))


def test_data_outlives_down(dev: Cli) -> None:
    done(dev("dev", "up"))
    url = done(dev("dev", "url")).stdout.strip()
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO wares VALUES (1)")
    assert "stopped" in done(dev("dev", "down")).stdout
    assert "not running" in done(dev("dev", "down")).stdout
    done(dev("dev", "up"))
    assert done(dev("dev", "url")).stdout.strip() == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM wares").fetchone() == (1,)


def test_url_is_one_line_on_stdout(dev: Cli) -> None:
    done(dev("dev", "up"))
    ran = done(dev("dev", "url"))
    assert ran.stdout.count("\n") == 1
    assert tables(ran.stdout.strip()) == ["orders", "schema_migrations", "wares"]


def test_a_shell_takes_the_variables_whatever_the_password(dev: Cli) -> None:
    password = "a'b\"c$d`e\\f g%h#ü"
    done(dev("dev", "up", env={"SHOP_PASSWORD": password}))
    assert variables(done(dev("dev", "url", "--env")))["SHOP_PASSWORD"] == password
    quoted = " ".join(shlex.quote(word) for word in command("dev", "url", "--export"))
    shown = subprocess.run(
        ["sh", "-c", f'eval "$({quoted})"; sh -c \'printf %s "$SHOP_PASSWORD"\''],
        cwd=dev.directory,
        env=dev.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == password
    assert tables(done(dev("dev", "url")).stdout.strip())


def test_psql_gets_the_address_and_the_arguments(dev: Cli) -> None:
    done(dev("dev", "up"))
    foreign = {"PGHOST": "db.example.test", "PGSERVICE": "none", "PGDATABASE": "other"}
    ran = dev("dev", "psql", "--", "-At", "-c", "SELECT current_user, current_database()", env=foreign)
    assert done(ran).stdout == "keeper|shop\n"


def test_psqls_exit_status_is_passed_on(dev: Cli) -> None:
    done(dev("dev", "up"))
    assert dev("dev", "psql", "--", "-c", "SELECT no_such_column").code == 1


def test_logs_show_the_last_lines(dev: Cli) -> None:
    done(dev("dev", "up"))
    dev("dev", "psql", "--", "-c", "SELECT no_such_column")
    last = done(dev("dev", "logs", "-n", "5")).stdout
    assert "no_such_column" in last
    assert last.count("\n") == 5


def test_logs_can_be_followed(dev: Cli) -> None:
    done(dev("dev", "up"))
    following = dev.start("dev", "logs", "-f", "-n", "1")
    assert following.stdout
    assert following.stdout.readline()  # from here on it follows
    dev("dev", "psql", "--", "-c", "SELECT no_such_column")
    assert "no_such_column" in following.stdout.readline()
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=10)
    assert following.returncode == 130


def test_reset_refuses_without_confirmation_and_keeps_the_data(dev: Cli) -> None:
    before = variables(done(dev("dev", "up")))
    ran = dev("dev", "reset")
    assert ran.code == 5
    assert "--confirm shop" in ran.stderr
    assert dev("dev", "reset", "--confirm", "other").code == 5
    assert variables(done(dev("dev", "up"))) == before


def test_reset_makes_the_server_anew(dev: Cli) -> None:
    done(dev("dev", "up"))
    url = done(dev("dev", "url")).stdout.strip()
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO wares VALUES (1)")
    done(dev("dev", "reset", "--confirm", "shop"))
    with psycopg.connect(done(dev("dev", "url")).stdout.strip()) as connection:
        assert connection.execute("SELECT count(*) FROM wares").fetchone() == (0,)


@pytest.mark.parametrize("action", ["url", "psql"])
def test_what_needs_the_server_says_that_it_does_not_run(dev: Cli, action: str) -> None:
    ran = dev("dev", action)
    assert ran.code == 3
    assert "next: howdah dev up" in ran.stderr


def test_json_is_one_object_for_each_action(new_dev: Cli) -> None:
    dev = new_dev
    up = done(dev("dev", "up", "--json")).json
    assert (up["howdah"], up["command"], up["ok"]) == (1, "dev up", True)
    assert up["data"]["server"]["created"] is True
    assert up["data"]["databases"][0]["applied"] == ["1", "2"]
    assert up["target"]["database"] == "shop"
    assert done(dev("dev", "url", "--json")).json["data"]["url"].startswith("postgresql://keeper:")
    assert done(dev("dev", "logs", "--json")).json["data"]["lines"]
    assert done(dev("dev", "down", "--json")).json["data"] == {"stopped": True}
    assert dev("dev", "url", "--json").json["problems"][0]["code"] == "no-server"
    assert dev("dev", "reset", "--json").json["problems"][0]["code"] == "not-confirmed"


def test_eight_at_once_bring_up_one_server(new_dev: Cli) -> None:
    dev = new_dev
    started = [dev.start("dev", "up") for _ in range(8)]
    ended = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0] * 8, ended
    assert len({stdout for stdout, _ in ended}) == 1
    assert sum("(created)" in stderr for _, stderr in ended) == 1
    assert sum("2 migrations applied" in stderr for _, stderr in ended) == 1


def test_several_projects_run_side_by_side(dev: Cli, open_path: Path) -> None:
    write_project(open_path / "other" / "shop")
    other = Cli(open_path / "other" / "shop", dev.environ)
    first, second = variables(done(dev("dev", "up"))), variables(done(other("dev", "up")))
    assert first["SHOP_PORT"] != second["SHOP_PORT"]
    done(other("dev", "down"))
    assert tables(done(dev("dev", "url")).stdout.strip())


@pytest.mark.parametrize("name", ['it\'s "quoted"', "Käse 日本", "-dash; $(x)"])
def test_any_project_folder_works(
    new_dev: Cli, open_path: Path, put_data: Callable[[Path], None], name: str
) -> None:
    write_project(open_path / name)
    project = Cli(open_path / name, new_dev.environ)
    put_data(server_directory(project.directory, project.environ))
    done(project("dev", "up"))
    assert tables(done(project("dev", "url")).stdout.strip())


def test_a_folder_without_anything_gets_a_server_and_a_database(dev: Cli, open_path: Path) -> None:
    (open_path / "Empty Folder").mkdir()
    empty = Cli(open_path / "Empty Folder", dev.environ)
    ran = done(empty("dev", "up"))
    assert "no migrations found" in ran.stderr
    with psycopg.connect(variables(ran)["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("Empty Folder",)


def test_env_file_names_role_database_and_password(dev: Cli, open_path: Path) -> None:
    root = open_path / "bare"
    write_project(root, settings="")
    url = "postgresql://ada:l%40v@localhost:5432/engine"
    (root / ".env").write_text(f"DATABASE_URL={url}\n", encoding="utf-8")
    ran = done(Cli(root, dev.environ)("dev", "up"))
    assert variables(ran)["DATABASE_URL"].startswith("postgresql://ada:l%40v@127.0.0.1:")
    with psycopg.connect(variables(ran)["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("ada", "engine")
    # the variables name another port: the application would not find the local server
    assert "variables-lead-elsewhere" in ran.stderr


def test_the_addresses_of_several_databases_stand_under_their_names(dev: Cli, open_path: Path) -> None:
    root = open_path / "fleet"
    root.mkdir()
    (root / "howdah.toml").write_text(QUICK + "[database.one]\n[database.two]\n", encoding="utf-8")
    ran = done(Cli(root, dev.environ)("dev", "up"))
    first, first_url, second, second_url = ran.stdout.splitlines()
    assert (first, second) == ("# one", "# two")
    assert "/one?" in first_url
    assert "/two?" in second_url


def test_an_address_of_production_is_neither_touched_nor_its_password_kept(dev: Cli, state: Path) -> None:
    production = {"SHOP_HOST": "db.example.test", "SHOP_USER": "keeper", "SHOP_PASSWORD": "very-secret"}
    ran = done(dev("dev", "up", env=production))
    assert variables(ran)["SHOP_HOST"] == "127.0.0.1"
    assert "leads to shop on db.example.test" in ran.stderr
    assert "very-secret" not in ran.stdout + ran.stderr
    assert not [file for file in state.glob("*/*.json") if "very-secret" in file.read_text(encoding="utf-8")]


def test_other_commands_find_the_running_server(dev: Cli) -> None:
    done(dev("dev", "up"))
    ran = done(dev("migrate", "status"))
    assert "create_orders" in ran.stdout


@pytest.mark.parametrize("delay", [0.3, 0.6, 0.9])
def test_a_killed_up_is_finished_by_the_next(new_dev: Cli, delay: float) -> None:
    dev = new_dev
    process = dev.start("dev", "up")
    time.sleep(delay)
    process.kill()
    process.communicate()
    done(dev("dev", "up"))
    assert tables(done(dev("dev", "url")).stdout.strip()) == ["orders", "schema_migrations", "wares"]


def test_a_server_killed_in_between_is_started_again(dev: Cli, state: Path) -> None:
    done(dev("dev", "up"))
    (data,) = state.glob("*/data")
    pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert "(started)" in done(dev("dev", "up")).stderr
    assert tables(done(dev("dev", "url")).stdout.strip())


def test_a_major_version_that_is_not_here_is_replaced_with_one_warning(
    dev: Cli, pg_programs: Programs
) -> None:
    other = 15 if pg_programs.version.major == 14 else 14
    text = (dev.directory / "howdah.toml").read_text(encoding="utf-8")
    (dev.directory / "howdah.toml").write_text(f"[dev]\npostgresql = {other}\n{text}", encoding="utf-8")
    ran = done(dev("dev", "up"))
    assert ran.stderr.count("[other-major]") == 1


def test_data_of_another_major_version_is_refused_with_the_way_out(dev: Cli, state: Path) -> None:
    done(dev("dev", "up"))
    done(dev("dev", "down"))
    (version,) = state.glob("*/data/PG_VERSION")
    version.write_text("13\n", encoding="ascii")
    ran = dev("dev", "up")
    assert ran.code == 5
    assert "next: howdah dev reset --confirm shop" in ran.stderr
    done(dev("dev", "reset", "--confirm", "shop"))


def test_a_port_that_a_stranger_took_is_replaced_and_that_is_said(dev: Cli) -> None:
    port = int(variables(done(dev("dev", "up")))["SHOP_PORT"])
    done(dev("dev", "down"))
    with socket.create_server(("127.0.0.1", port)):
        ran = done(dev("dev", "up"))
    assert int(variables(ran)["SHOP_PORT"]) != port
    assert "port-changed" in ran.stderr


def test_a_named_port_is_used_or_refused(dev: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = str(stranger.getsockname()[1])
        ran = dev("dev", "up", "--port", port)
        assert ran.code == 2
        assert f"port {port} is taken" in ran.stderr
        assert "HOWDAH_DEV_PORT" in ran.stderr
    assert variables(done(dev("dev", "up", env={"HOWDAH_DEV_PORT": port})))["SHOP_PORT"] == port
    assert "restart-needed" not in done(dev("dev", "up", "--port", port)).stderr


def test_a_port_asked_of_a_running_server_is_not_passed_over_in_silence(dev: Cli) -> None:
    port = variables(done(dev("dev", "up")))["SHOP_PORT"]
    ran = done(dev("dev", "up", "--port", "29999"))
    assert variables(ran)["SHOP_PORT"] == port
    assert f"goes on on port {port}" in ran.stderr
    assert "howdah dev up --port 29999" in ran.stderr
    assert "restart-needed" not in done(dev("dev", "up")).stderr


def test_settings_changed_while_it_runs_want_a_restart(dev: Cli) -> None:
    done(dev("dev", "up"))
    text = (dev.directory / "howdah.toml").read_text(encoding="utf-8")
    changed = text.replace("[dev.settings]", '[dev.settings]\nwork_mem = "7MB"')
    (dev.directory / "howdah.toml").write_text(changed, encoding="utf-8")
    assert "restart-needed" in done(dev("dev", "up")).stderr
    done(dev("dev", "down"))
    assert "restart-needed" not in done(dev("dev", "up")).stderr
    assert done(dev("dev", "psql", "--", "-At", "-c", "SHOW work_mem")).stdout == "7MB\n"


def test_a_directory_without_programs_is_an_error(dev: Cli, open_path: Path) -> None:
    ran = dev("dev", "up", "--bindir", str(open_path))
    assert ran.code == 2
    assert "--bindir" in ran.stderr


def test_a_failing_migration_leaves_a_server_to_look_at(dev: Cli) -> None:
    broken = dev.directory / "migrations" / "000003_break.up.sql"
    broken.write_text("SELECT no_such_column;", encoding="utf-8")
    ran = dev("dev", "up")
    assert ran.code == 4
    assert "000003_break.up.sql" in ran.stderr
    assert tables(done(dev("dev", "url")).stdout.strip()) == ["orders", "schema_migrations", "wares"]
    broken.write_text("SELECT 1;", encoding="utf-8")
    assert "1 migration applied, now at 3" in done(dev("dev", "up")).stderr


@pytest.mark.pg(">= 18")
def test_standins_are_announced(dev: Cli, open_path: Path, pg_programs: Programs) -> None:
    if "uuid-ossp" in pg_programs.extensions:
        pytest.skip("this PostgreSQL has the real uuid-ossp")
    write_project(open_path / "ids", settings='[database.ids.setup]\nextensions = ["uuid-ossp"]\n')
    project = Cli(open_path / "ids", dev.environ)
    ran = done(project("dev", "up"))
    assert "uuid-ossp: SQL stand-in" in ran.stderr
    # one that no reading of the files finds, on a server that runs
    hidden = "DO $$ BEGIN EXECUTE 'CREATE ' || 'EXTENSION pgcrypto'; END $$"
    (project.directory / "migrations" / "000003_hidden.up.sql").write_text(hidden, encoding="utf-8")
    assert "pgcrypto: SQL stand-in" in done(project("dev", "up")).stderr
    server = done(project("dev", "up", "--json")).json["data"]["server"]
    assert server["stand_ins"] == ["pgcrypto", "uuid-ossp"]


@pytest.mark.parametrize(
    ("data_major", "commands"),
    [(None, ["howdah dev down", "howdah dev up"]), ("13", ["howdah dev reset --confirm shop"])],
)
def test_an_extension_needed_later_is_missed_before_anything_is_migrated(
    dev: Cli, state: Path, data_major: str | None, commands: list[str]
) -> None:
    done(dev("dev", "up"))
    # as if it had been started on programs that have no extensions
    (file,) = state.glob("*/server.json")
    record = json.loads(file.read_text(encoding="utf-8"))
    write_private(file, {**record, "bindir": str(state / "none"), "version": "13.1"})
    if data_major:
        (file.parent / "data" / "PG_VERSION").write_text(data_major, encoding="ascii")
    later = dev.directory / "migrations" / "000003_later.up.sql"
    later.write_text("CREATE EXTENSION IF NOT EXISTS plpgsql;", encoding="utf-8")
    ran = dev("dev", "up", "--json")
    (problem,) = ran.json["problems"]
    assert (ran.code, problem["code"], problem["next"]) == (5, "extension-missing", commands)
    assert "plpgsql" in problem["message"]
    assert tables(done(dev("dev", "url")).stdout.strip())
    assert done(dev("migrate", "status", "--json")).json["data"]["pending"]


def test_names_that_no_database_can_have_start_no_server(dev: Cli, open_path: Path, state: Path) -> None:
    (open_path / ("n" * 80)).mkdir()
    assert Cli(open_path / ("n" * 80), dev.environ)("dev", "up").code == 2
    assert not list(state.glob("nnn*"))


def test_reset_waits_for_an_up_that_runs(dev: Cli) -> None:
    with locked(server_directory(dev.directory, dev.environ) / "up.lock"):
        resetting = dev.start("dev", "reset", "--confirm", "shop")
        with pytest.raises(subprocess.TimeoutExpired):
            resetting.wait(timeout=1.5)
    _, said = resetting.communicate(timeout=60)
    assert resetting.returncode == 0, said


def test_the_bare_area_takes_the_options_of_up(cli: Cli) -> None:
    done = cli("dev", "--port", "0")
    assert done.code == 2
    assert "Usage: howdah dev up" in done.stderr
