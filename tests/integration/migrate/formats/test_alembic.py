"""Alembic's revisions on a real server: the team's env.py, run by howdah and by Alembic itself."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fix_alembic import Project, heads, make_project, tables
from fix_cli import Cli, clean_environ
from fix_db import connect
from fix_migrations import scalar
from howdah.config.database import DatabaseConfig
from howdah.config.url import format_url
from howdah.errors import HistoryMismatch, HowdahError, MigrationFailed, RefusedError
from howdah.migrate.events import Event, Noted, Result, Retrying
from howdah.migrate.migrator import Migrator
from howdah.migrate.standing import State

LINE = ("aaaa1111", "bbbb2222", "cccc3333")
CONCURRENTLY = """with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY i_one ON t_aaaa1111 (id)")"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three revisions in a line."""
    return line(make_project(tmp_path / "app"))


@pytest.fixture(params=["generic", "async", "pyproject", "pyproject_async"])
def stock_project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """The same with each of the stock env.py files."""
    return line(make_project(tmp_path / "app", template=request.param))


def line(project: Project) -> Project:
    for each, down in zip(LINE, (None, *LINE), strict=False):
        project.revision(each, down)
    return project


def branches(project: Project) -> Project:
    """A base, two branches of which one depends on the other, their merge, and one after it."""
    project.revision("ba5e0000", None)
    project.revision("1eff1111", "ba5e0000")
    project.revision("1eff2222", "1eff1111")
    project.revision("419a1111", "ba5e0000", depends_on="1eff1111")
    project.revision("5019e000", ("1eff2222", "419a1111"))
    project.revision("70900000", "5019e000")
    return project


def test_the_stock_env_py_runs_up_and_down(stock_project: Project, database: DatabaseConfig) -> None:
    events: list[Event] = []
    done = stock_project.migrator(database, events).up()

    assert [each.step.migration.version for each in done] == [*LINE]
    assert [each for each in events if isinstance(each, Result)] == done
    assert heads(database) == ["cccc3333"]
    assert tables(database) == {"t_aaaa1111", "t_bbbb2222", "t_cccc3333"}
    assert stock_project.migrator(database).up() == []

    stock_project.migrator(database).down()
    assert heads(database) == ["bbbb2222"]
    stock_project.migrator(database).down(to="0")
    assert heads(database) == []
    assert tables(database) == set()


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg", "psycopg"])
def test_env_py_gets_the_driver_that_alembic_ini_names(
    driver: str, tmp_path: Path, database: DatabaseConfig
) -> None:
    template = "async" if driver == "asyncpg" else "generic"
    project = line(make_project(tmp_path / "app", template=template))
    ini = project.root / "alembic.ini"
    ini.write_text(ini.read_text().replace("driver://", f"postgresql+{driver}://"))
    project.edit_env("config = context.config", f"config = context.config\n{PRINT_DRIVER}")

    project.migrator(database).up()

    assert (project.root / "driver").read_text() == driver
    assert heads(database) == ["cccc3333"]


PRINT_DRIVER = (
    "from sqlalchemy import make_url\n"
    "from pathlib import Path\n"
    "Path('driver').write_text(make_url(config.get_main_option('sqlalchemy.url')).get_driver_name())"
)


def test_env_py_that_reads_database_url_comes_to_the_same_database(
    project: Project, database: DatabaseConfig
) -> None:
    project.edit_env(
        "config = context.config",
        "import os\nconfig = context.config\n"
        "config.set_main_option('sqlalchemy.url', os.environ['DATABASE_URL'].replace('%', '%%'))",
    )
    project.migrator(database).up()

    assert heads(database) == ["cccc3333"]


def test_a_revision_that_fails_leaves_the_earlier_ones_applied(
    stock_project: Project, database: DatabaseConfig
) -> None:
    file = stock_project.revision(
        "bbbb2222", "aaaa1111", up='op.execute("CREATE TABLE half ()")\n    op.execute("SELECT 1/0")'
    )
    with pytest.raises(MigrationFailed) as caught:
        stock_project.migrator(database).up()

    error = caught.value
    assert (error.applied, error.failed, error.pending) == (("aaaa1111",), "bbbb2222", ("cccc3333",))
    assert error.sqlstate == "22012"
    assert str(error.where) == f"{file}:13"
    assert "division by zero" in error.message
    assert "SELECT 1/0" in (error.why or "")
    assert error.fix == (
        "Nothing of it took effect. 1 migration before it in this run took effect and is recorded."
        " 1 migration after it did not run."
    )
    assert heads(database) == ["aaaa1111"]
    assert tables(database) == {"t_aaaa1111"}

    stock_project.revision("bbbb2222", "aaaa1111")
    stock_project.migrator(database).up()
    assert heads(database) == ["cccc3333"]


def test_an_error_in_python_is_told_with_its_line(project: Project, database: DatabaseConfig) -> None:
    file = project.revision("bbbb2222", "aaaa1111", up="op.crate_table('x')")

    with pytest.raises(MigrationFailed, match="AttributeError") as caught:
        project.migrator(database).up()

    assert str(caught.value.where) == f"{file}:12"
    assert caught.value.sqlstate is None


def test_autocommit_block_builds_an_index_concurrently(
    stock_project: Project, database: DatabaseConfig
) -> None:
    stock_project.revision("bbbb2222", "aaaa1111", up=CONCURRENTLY, undo='op.execute("DROP INDEX i_one")')
    stock_project.migrator(database).up()

    assert "i_one" in tables(database)
    assert heads(database) == ["cccc3333"]


def test_what_a_failing_revision_committed_before_is_said(project: Project, database: DatabaseConfig) -> None:
    project.revision("bbbb2222", "aaaa1111", up=f"{CONCURRENTLY}\n    op.execute('SELECT 1/0')")

    with pytest.raises(MigrationFailed) as caught:
        project.migrator(database).up()

    assert caught.value.is_partial
    assert "It left its transaction with autocommit_block()" in (caught.value.fix or "")
    assert heads(database) == ["aaaa1111"]


def test_every_way_through_branches_leaves_the_heads_that_alembic_leaves(
    tmp_path: Path, make_database: Callable[[], DatabaseConfig]
) -> None:
    project = branches(make_project(tmp_path / "app"))
    ours, theirs = make_database(), make_database()
    ways = [
        ("up", "419a1111"),
        ("up", "1eff2222"),
        ("up", "5019e000"),
        ("up", "70900000"),
        ("down", "5019e000"),
        ("down", "1eff1111"),
        ("up", "1eff2222"),
        ("up", "70900000"),
        ("down", "ba5e0000"),
        ("up", "70900000"),
    ]
    for direction, to in ways:
        migrator = project.migrator(ours)
        migrator.up(to=to) if direction == "up" else migrator.down(to=to)
        ran = project.alembic(theirs, "upgrade" if direction == "up" else "downgrade", to)
        assert ran.returncode == 0, ran.stderr
        assert heads(ours) == heads(theirs), (direction, to)
        assert tables(ours) == tables(theirs), (direction, to)


def test_both_work_in_turn_on_one_database(project: Project, database: DatabaseConfig) -> None:
    assert project.alembic(database, "upgrade", "aaaa1111").returncode == 0
    project.migrator(database).up(to="bbbb2222")
    assert project.alembic(database, "upgrade", "head").returncode == 0
    assert project.migrator(database).up() == []
    project.migrator(database).down()
    assert project.alembic(database, "downgrade", "-1").returncode == 0
    assert [entry.state for entry in project.migrator(database).status().entries] == [
        State.APPLIED,
        State.PENDING,
        State.PENDING,
    ]
    project.migrator(database).up()
    shown = project.alembic(database, "current", "--check-heads")
    assert (shown.returncode, shown.stdout.split()[0]) == (0, "cccc3333")


def test_up_takes_all_heads_and_down_wants_to_know_which(tmp_path: Path, database: DatabaseConfig) -> None:
    project = branches(make_project(tmp_path / "app"))
    for each in ("5019e000", "70900000"):
        (project.root / "migrations" / "versions" / f"{each}_make.py").unlink()
    migrator = project.migrator(database)

    migrator.up()

    assert heads(database) == ["1eff2222", "419a1111"]
    assert [note.code for note in migrator.source().notes] == ["several-heads"]
    with pytest.raises(HistoryMismatch, match="several heads: 1eff2222, 419a1111"):
        migrator.down()
    migrator.down(to="1eff1111")
    assert heads(database) == ["419a1111"]


def test_a_part_of_an_id_names_a_revision(project: Project, database: DatabaseConfig) -> None:
    project.migrator(database).up(to="bbbb")
    assert heads(database) == ["bbbb2222"]


def test_a_database_ahead_of_the_files_is_told_and_left_alone(
    project: Project, database: DatabaseConfig
) -> None:
    project.migrator(database).up()
    (project.root / "migrations" / "versions" / "cccc3333_make.py").unlink()
    events: list[Event] = []

    assert project.migrator(database, events).up() == []

    assert [each.finding.code for each in events if isinstance(each, Noted)] == ["database-ahead"]
    assert heads(database) == ["cccc3333"]
    with pytest.raises(HistoryMismatch, match="no file"):
        project.migrator(database).down()


def test_an_edited_revision_is_told_and_other_line_ends_are_no_edit(
    project: Project, database: DatabaseConfig
) -> None:
    project.migrator(database).up()
    files = sorted((project.root / "migrations" / "versions").glob("*.py"))
    files[0].write_bytes(files[0].read_bytes().replace(b"\n", b"\r\n"))
    files[1].write_text(files[1].read_text().replace("    op.drop", "    if True: op.drop"))

    status = project.migrator(database).status()

    assert [(each.code, Path(each.where.file).name) for each in status.findings if each.where] == [
        ("reformatted-migration", files[0].name),
        ("modified-migration", files[1].name),
    ]
    assert all(each.record and each.record.seconds and each.record.seconds > 0 for each in status.entries)


def test_env_py_that_connects_elsewhere_is_refused_before_anything_runs(
    stock_project: Project, make_database: Callable[[], DatabaseConfig]
) -> None:
    meant, other = make_database(), make_database()
    url = format_url(other, show_password=True).replace("postgresql://", "postgresql+psycopg://")
    stock_project.edit_env(
        "config = context.config",
        f"config = context.config\nconfig.set_main_option('sqlalchemy.url', {url!r})",
    )
    with pytest.raises(RefusedError, match="connects somewhere else") as caught:
        stock_project.migrator(meant).up()

    assert caught.value.code == "env-py-refused"
    assert tables(meant) == tables(other) == set()
    with connect(other) as connection:
        assert connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)


def test_the_history_is_where_env_py_says_it_is(project: Project, database: DatabaseConfig) -> None:
    with connect(database) as connection:
        connection.execute("CREATE SCHEMA audit")
    project.edit_env(
        "connection=connection,", 'connection=connection, version_table="mine", version_table_schema="audit",'
    )
    project.migrator(database).up(to="aaaa1111")

    assert heads(database, "audit.mine") == ["aaaa1111"]
    assert project.alembic(database, "upgrade", "head").returncode == 0
    assert project.migrator(database).up() == []


def test_a_history_that_env_py_computes_is_refused_until_howdah_is_told(
    project: Project, database: DatabaseConfig
) -> None:
    project.edit_env("connection=connection,", 'connection=connection, version_table="mine".lower(),')

    with pytest.raises(RefusedError, match=r"keeps its history in public\.mine") as caught:
        project.migrator(database).up()
    assert caught.value.fix == 'Write history-table = "public.mine" for this database in howdah.toml.'

    Migrator(database=database, directory=project.root, format="alembic", table="mine").up()
    assert heads(database, "mine") == ["cccc3333"]


def test_a_connection_that_commits_by_itself_is_refused(project: Project, database: DatabaseConfig) -> None:
    project.edit_env("poolclass=pool.NullPool,", 'poolclass=pool.NullPool, isolation_level="AUTOCOMMIT",')

    with pytest.raises(RefusedError, match="commits each statement by itself"):
        project.migrator(database).up()


def test_in_a_transaction_of_env_pys_own_all_is_done_or_nothing(
    project: Project, database: DatabaseConfig
) -> None:
    project.edit_env("connectable.connect()", "connectable.begin()")
    project.revision("cccc3333", "bbbb2222", up="op.execute('SELECT 1/0')")

    with pytest.raises(MigrationFailed) as caught:
        project.migrator(database).up()
    assert caught.value.applied == ()
    assert tables(database) == set()

    project.revision("cccc3333", "bbbb2222")
    assert len(project.migrator(database).up()) == 3
    assert heads(database) == ["cccc3333"]


def test_several_databases_in_one_env_py_are_refused(tmp_path: Path, database: DatabaseConfig) -> None:
    project = make_project(tmp_path / "app", template="multidb")
    url = format_url(database, show_password=True).replace("postgresql://", "postgresql+psycopg://")
    ini = project.root / "alembic.ini"
    text = ini.read_text()
    for name in ("driver://user:pass@localhost/dbname", "driver://user:pass@localhost/dbname2"):
        text = text.replace(f"= {name}\n", f"= {url}\n")
    ini.write_text(text)
    project.revision("aaaa1111", None)

    with pytest.raises(HowdahError):
        project.migrator(database).up()
    assert tables(database) == set()


def test_an_env_py_that_fails_is_told_with_its_line(project: Project, database: DatabaseConfig) -> None:
    project.edit_env("config = context.config", "config = context.config\nimport no_such_package")

    with pytest.raises(HowdahError, match="no_such_package") as caught:
        project.migrator(database).up()

    assert caught.value.code == "env-py-failed"
    assert caught.value.where
    assert caught.value.where.file == str(project.env)
    assert "no_such_package" in project.env.read_text().splitlines()[(caught.value.where.line or 0) - 1]


def test_projects_with_modules_of_one_name_do_not_mix(
    tmp_path: Path, make_database: Callable[[], DatabaseConfig]
) -> None:
    before = dict(sys.modules), list(sys.path), Path.cwd()
    for name in ("one", "two"):
        project = line(make_project(tmp_path / name))
        (project.root / "models.py").write_text(f"TABLE = 'of_{name}'\n")
        project.revision("dddd4444", "cccc3333", up="import models; op.create_table(models.TABLE)")
        database = make_database()
        project.migrator(database).up()
        assert f"of_{name}" in tables(database)
    assert "models" not in sys.modules
    assert (list(sys.path), Path.cwd()) == before[1:]


def test_env_pys_logging_is_left_out(project: Project, database: DatabaseConfig) -> None:
    mine = logging.getLogger("an.application")
    project.migrator(database).up()

    assert not mine.disabled
    assert logging.getLogger("howdah.migrate").disabled is False


def test_prints_of_env_py_do_not_break_json(project: Project, database: DatabaseConfig, cli: Cli) -> None:
    project.edit_env("config = context.config", "config = context.config\nprint('hello from env.py')")
    url = format_url(database, show_password=True)
    ran = cli("migrate", "up", "--json", "--format", "alembic", "--dir", str(project.root), "--url", url)

    assert ran.code == 0, ran
    assert ran.json["ok"] is True
    assert "hello from env.py" in ran.stderr


def test_it_runs_inside_an_event_loop(tmp_path: Path, database: DatabaseConfig) -> None:
    project = line(make_project(tmp_path / "app", template="async"))

    async def start_up() -> None:
        project.migrator(database).up()

    asyncio.run(start_up())
    assert heads(database) == ["cccc3333"]


def test_a_lock_that_is_not_to_be_had_is_waited_for_in_turns(
    project: Project, database: DatabaseConfig
) -> None:
    project.migrator(database).up(to="aaaa1111")
    project.revision("bbbb2222", "aaaa1111", up='op.add_column("t_aaaa1111", sa.Column("x", sa.Text))')
    events: list[Event] = []
    with connect(database) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM t_aaaa1111")

        def let_go(event: Event) -> None:
            events.append(event)
            if isinstance(event, Retrying):
                other.execute("COMMIT")

        migrator = Migrator(
            database=database,
            directory=project.root,
            format="alembic",
            settings=project.migrator(database, stall_seconds=0.2).settings,
            on_event=let_go,
        )
        migrator.up()

    assert any(isinstance(each, Retrying) for each in events)
    assert heads(database) == ["cccc3333"]


def test_alembic_and_howdah_at_once_do_each_revision_once(project: Project, database: DatabaseConfig) -> None:
    for each, down in (("dddd4444", "cccc3333"), ("eeee5555", "dddd4444")):
        slow = f'op.execute("SELECT pg_sleep(0.2)")\n    op.create_table("t_{each}")'
        project.revision(each, down, up=slow)
    theirs: list[subprocess.CompletedProcess[str]] = []
    thread = threading.Thread(target=lambda: theirs.append(project.alembic(database, "upgrade", "head")))
    thread.start()
    try:
        project.migrator(database).up()
    finally:
        thread.join()

    assert heads(database) == ["eeee5555"]
    assert len(tables(database)) == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_whole_revisions(
    number: signal.Signals, project: Project, database: DatabaseConfig, cli: Cli
) -> None:
    project.revision(
        "bbbb2222", "aaaa1111", up='op.create_table("half")\n    op.execute("SELECT pg_sleep(60)")'
    )
    where = (
        "--format",
        "alembic",
        "--dir",
        str(project.root),
        "--url",
        format_url(database, show_password=True),
    )
    process = cli.start("migrate", "up", *where)
    sleeping = (
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND wait_event = 'PgSleep'"
    )
    deadline = time.monotonic() + 60
    while scalar(database, sleeping) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)

    assert process.returncode == (-number if number is signal.SIGKILL else 130), told
    assert heads(database) == ["aaaa1111"]
    assert tables(database) == {"t_aaaa1111"}
    if number is signal.SIGKILL:
        with connect(database) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(60)%%'"
                " AND pid <> pg_backend_pid()"
            )
    project.revision("bbbb2222", "aaaa1111")
    project.migrator(database, lock_limit_seconds=20).up()
    assert heads(database) == ["cccc3333"]


def test_a_baseline_and_a_resolution_leave_heads_as_a_stamp_does(
    tmp_path: Path, make_database: Callable[[], DatabaseConfig]
) -> None:
    project = branches(make_project(tmp_path / "app"))
    ours, theirs = make_database(), make_database()
    project.migrator(ours).baseline("1eff2222")
    assert project.alembic(theirs, "stamp", "1eff2222").returncode == 0
    assert heads(ours) == heads(theirs) == ["1eff2222"]

    project.migrator(ours).resolve("419a1111", applied=True)
    assert heads(ours) == ["1eff2222", "419a1111"]
    project.migrator(ours).resolve("70900000", applied=True)
    assert heads(ours) == ["70900000"]
    project.migrator(ours).resolve("1eff2222", applied=False)
    assert heads(ours) == ["419a1111"]
    assert project.migrator(ours).status().entries[-1].state is State.PENDING


MODELS = """target_metadata = __import__("sqlalchemy").MetaData()
__import__("sqlalchemy").Table("of_models", target_metadata, __import__("sqlalchemy").Column("id"))"""


def test_new_migrations_are_written_as_alembic_writes_them(
    project: Project, database: DatabaseConfig, cli: Cli
) -> None:
    where = (
        "--format",
        "alembic",
        "--dir",
        str(project.root),
        "--url",
        format_url(database, show_password=True),
    )
    ran = cli("migrate", "new", "add some words", *where)
    assert ran.code == 0, ran
    assert Path(ran.stdout.strip()).parent == project.root / "migrations" / "versions"
    assert "Upgrade schema." in Path(ran.stdout.strip()).read_text()

    project.edit_env("target_metadata = None", MODELS)
    refused = cli("migrate", "new", "models", "--autogenerate", *where)
    assert refused.code == 4
    assert "Target database is not up to date" in refused.stderr
    project.migrator(database).up()
    ran = cli("migrate", "new", "models", "--autogenerate", "--json", *where)
    assert ran.code == 0, ran
    (file,) = ran.json["data"]["files"]
    assert "of_models" in Path(file).read_text()
    assert len(project.migrator(database).source().migrations) == 5
    assert [note.code for note in project.migrator(database).source().notes] == []


def test_without_the_library_status_works_and_up_says_what_to_install(
    project: Project, database: DatabaseConfig
) -> None:
    url = format_url(database, show_password=True)
    hidden = (
        "import sys; sys.modules['alembic'] = sys.modules['sqlalchemy'] = None;"
        f" sys.argv = ['howdah', 'migrate', VERB, '--format', 'alembic', '--dir', '.', '--url', {url!r}];"
        " from howdah.cli.main import main; main()"
    )

    def run(verb: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", hidden.replace("VERB", repr(verb))],
            cwd=project.root,
            env=clean_environ(),
            capture_output=True,
            text=True,
            check=False,
        )

    shown = run("status")
    assert shown.returncode == 0, shown.stderr
    assert "cccc3333" in shown.stdout
    refused = run("up")
    assert refused.returncode == 5, refused.stderr
    assert "howdah[alembic]" in refused.stderr
