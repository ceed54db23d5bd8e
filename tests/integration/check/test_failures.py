"""A migration that fails is said to fail, whatever was tried with it, and wherever it fails."""

from __future__ import annotations

from pathlib import Path

from fix_server import RunningServer
from howdah.check.judgement import judge_step
from howdah.check.run import check_migrations
from howdah.check.settings import CheckSettings
from howdah.check.subject import Subject
from howdah.config.project import DatabaseSettings
from howdah.observe.verdict import Verdict
from howdah.rehearse.round_trip import Travel, try_round_trips
from howdah.rehearse.verify import Rehearsal
from judging import all_findings, throwaway_at


def findings(server: RunningServer, directory: Path, *scripts: str) -> list[tuple[str, Verdict]]:
    """What is found in the last script that was tried."""
    for number, script in enumerate(scripts, 1):
        (directory / f"{number}_step.up.sql").write_text(script)
    trips = try_round_trips(throwaway_at(server.address), "golang-migrate", directory, Travel()).trips
    assert len(trips) == 2
    return [(each.finding.code, each.verdict) for each in all_findings([judge_step(trips[-1].up)])]


def test_a_failure_behind_tables_with_rows_is_found(server: RunningServer, tmp_path: Path) -> None:
    found = findings(server, tmp_path, "CREATE TABLE a (id int)", "SELECT missing.work()", "SELECT 1")

    assert found == [("migration-fails", Verdict.FAILS)]


def test_a_failure_at_the_commit_is_found(server: RunningServer, tmp_path: Path) -> None:
    table = "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED)"

    found = findings(server, tmp_path, table, "INSERT INTO a VALUES (1, 999999)", "SELECT 1")

    assert found == [("migration-fails", Verdict.FAILS)]


def checked(server: RunningServer, directory: Path) -> list[tuple[str, Verdict]]:
    """What is found behind a migration in Go that makes a table."""
    (directory / "1_a.sql").write_text("-- +goose Up\nCREATE TABLE a (id int);\n")
    (directory / "2_go.go").write_text("package migrations\n")
    (directory / "3_b.sql").write_text("-- +goose Up\nALTER TABLE made_by_go ADD b int;\n")
    subject = Subject(DatabaseSettings("app"), directory, "goose", directory)
    settings = CheckSettings(base="none", rehearsal=Rehearsal(server.address), tries_down=False)
    report = check_migrations(subject, settings)
    return [(each.finding.code, each.verdict) for each in report.all_findings if each.verdict.rank > 0]


def test_a_failure_behind_a_migration_in_go_is_not_known_to_be_one(
    server: RunningServer, tmp_path: Path
) -> None:
    assert ("migration-fails", Verdict.UNKNOWN) in checked(server, tmp_path)


def test_each_migration_that_fails_on_any_row_is_found(server: RunningServer, tmp_path: Path) -> None:
    scripts = ["CREATE TABLE a (id int); CREATE TABLE b (id int);"]
    scripts += [f"ALTER TABLE {each} ADD x int NOT NULL;" for each in "ab"]
    for number, script in enumerate(scripts, 1):
        (tmp_path / f"{number}_step.up.sql").write_text(script)

    trips = try_round_trips(throwaway_at(server.address), "golang-migrate", tmp_path, Travel()).trips

    assert [[fact.table for fact in each.fails_on_rows] for each in trips] == [[], ["public.a"], ["public.b"]]
