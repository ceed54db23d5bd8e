"""Databases of different tools in one run: each by its own rules, none in the way of another."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fix_fleet import Fleet
from fix_migrations import relations, scalar, tables
from howdah.config.database import DatabaseConfig
from howdah.fleet.migrate import migrate_all
from howdah.fleet.status import Condition, read_statuses

SERVICES = Path(__file__).resolve().parents[3] / "examples" / "quikapp" / "services"
SLEEPS = """
from alembic import op

revision = "f00000000001"
down_revision = "{newest}"


def upgrade():
    op.execute("CREATE TABLE half (id int)")
    op.execute("SELECT pg_sleep(60)")


def downgrade():
    pass
"""


@pytest.fixture
def services(fleet: Fleet) -> Path:
    """The services of QuikApp, to be changed."""
    pytest.importorskip("alembic")
    return Path(shutil.copytree(SERVICES, fleet.root / "services"))


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def sleeps(address: DatabaseConfig) -> object:
    return scalar(
        address,
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND datname = current_database()"
        " AND query LIKE 'SELECT pg_sleep%'",
    )


def interrupt_when(condition: Callable[[], object]) -> None:
    """Ctrl-C for this process, once the condition is true."""
    import threading

    def press() -> None:
        wait_for(condition)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()


@pytest.mark.parametrize("parallel", [1, 4])
def test_golang_migrate_alembic_and_goose_side_by_side(fleet: Fleet, services: Path, parallel: int) -> None:
    for name in ("workspace", "channel", "analytics", "export", "integration"):
        fleet.add(name, migrations=str(services / f"{name}-service" / "migrations"))
    fleet.add(
        "mail",
        {"00001_a.sql": "-- +goose Up\nCREATE TABLE mail (id int);\n-- +goose Down\nDROP TABLE mail;\n"},
    )
    before = dict(os.environ), Path.cwd(), list(sys.path)

    outcome = migrate_all(fleet.project, parallel=parallel)

    assert outcome.is_complete, [str(each.error) for each in outcome.databases]
    found = {each.name: each for each in read_statuses(fleet.project)}
    assert {name: each.format for name, each in found.items()} == {
        "workspace": "golang-migrate",
        "channel": "golang-migrate",
        "analytics": "alembic",
        "export": "alembic",
        "integration": "alembic",
        "mail": "goose",
    }
    assert {each.condition for each in found.values()} == {Condition.OK}
    assert "daily_active_users" in relations(fleet.addresses["analytics"])
    assert "workspaces" in relations(fleet.addresses["workspace"])
    assert (dict(os.environ), Path.cwd(), list(sys.path)) == before


def test_ctrl_c_cancels_an_alembic_revision_and_lets_nobody_else_begin(fleet: Fleet, services: Path) -> None:
    folder = services / "export-service" / "migrations"
    (folder / "versions" / "f00000000001_sleep.py").write_text(SLEEPS.format(newest="84c6f1d9a032"))
    export = fleet.add("export", migrations=str(folder))
    others = [
        fleet.add(f"other_{number}", tables(1), depends_on=["export"] if number == 2 else [])
        for number in (1, 2)
    ]
    interrupt_when(lambda: sleeps(export))
    started = time.monotonic()

    outcome = migrate_all(fleet.project, parallel=2)

    assert time.monotonic() - started < 25
    assert {each.name: each.ending.value for each in outcome.databases} == {
        "export": "interrupted",
        "other_1": "interrupted",  # while it waited for its turn
        "other_2": "not started",
    }
    assert [each.step.migration.version for each in outcome.databases[0].results] == [
        "1b7e52c0d946",
        "84c6f1d9a032",
    ]
    assert "half" not in relations(export)
    wait_for(lambda: not sleeps(export))
    assert relations(others[0]) == set()


def test_ctrl_c_reaches_a_command_that_runs_foreign_steps(fleet: Fleet, services: Path) -> None:
    folder = services / "backend-gateway"
    fleet.add("main", migrations=str(folder / "migrations"))
    mark = fleet.root / "began"
    with fleet.file.open("a") as project:
        project.write(
            f'[database.main.foreign]\nup = ["sh", "-c", "touch {mark}; sleep 60"]\ndirectory = "."\n'
        )
    interrupt_when(mark.exists)
    started = time.monotonic()

    outcome = migrate_all(fleet.project)

    assert time.monotonic() - started < 20
    assert [each.ending.value for each in outcome.databases] == ["interrupted"]
