"""From files to advice: rules speak of what was observed, and the steps are in the words of the files' format."""

from __future__ import annotations

from pathlib import Path

import pytest

from fix_server import RunningServer
from howdah.check.judgement import Judged
from howdah.check.report import RuleFinding
from judging import advised, all_findings, judge_files, throwaway_at

TABLE = "CREATE TABLE users (id bigint PRIMARY KEY, email text, age int)"
INDEX = "CREATE INDEX users_email ON users (email)"


def check(
    server: RunningServer, directory: Path, *, format: str = "golang-migrate"
) -> tuple[tuple[Judged, ...], list[RuleFinding]]:
    throwaway = throwaway_at(server.address)
    judged = advised(
        throwaway, directory, judge_files(throwaway, directory, format=format, base="1"), format=format
    )
    return judged, all_findings(judged)


def write(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory


def test_each_finding_gets_steps_that_stand_where_its_statement_began(
    server: RunningServer, tmp_path: Path
) -> None:
    directory = write(
        tmp_path,
        {
            "1_a.up.sql": TABLE,
            "2_b.up.sql": "ALTER TABLE users ADD COLUMN note text;\nALTER TABLE users ADD CHECK (note <> '');",
            "3_c.up.sql": "CREATE INDEX users_note ON users (note);",
        },
    )
    _, found = check(server, directory)
    by_rule = {each.finding.code: each for each in found if each.steps}
    assert set(by_rule) == {"check-scan-blocks", "index-build-blocks-writes"}
    assert "users_note_check" in by_rule["check-scan-blocks"].steps[0].sql
    fix = by_rule["index-build-blocks-writes"].finding.fix
    assert fix is not None
    assert fix.endswith("Alone in its file, such a statement runs outside a transaction.")


@pytest.mark.parametrize(
    ("format", "names", "directive"),
    [
        ("goose", ("1_a.sql", "2_b.sql"), "-- +goose NO TRANSACTION"),
        ("dbmate", ("1_a.sql", "2_b.sql"), "-- migrate:up transaction:false"),
        ("sqlx", ("1_a.sql", "2_b.sql"), "-- no-transaction"),
    ],
)
def test_steps_outside_a_transaction_carry_the_directive_of_the_format(
    server: RunningServer, tmp_path: Path, format: str, names: tuple[str, str], directive: str
) -> None:
    head = {"goose": "-- +goose Up\n", "dbmate": "-- migrate:up\n"}.get(format, "")
    tail = {"goose": "-- +goose Down\n", "dbmate": "-- migrate:down\n"}.get(format, "")
    texts = {name: f"{head}{sql};\n{tail}" for name, sql in zip(names, (TABLE, INDEX), strict=True)}
    directory = write(tmp_path, texts)
    _, found = check(server, directory, format=format)
    (finding,) = [each for each in found if each.finding.code == "index-build-blocks-writes"]
    assert [each.sql for each in finding.steps] == [
        f"{directive}\nCREATE INDEX CONCURRENTLY users_email ON users (email);"
    ]
    assert finding.finding.fix is not None
    assert f"`{directive}`" in finding.finding.fix


def test_a_migration_that_fails_is_told_and_what_was_found_before_stands(
    server: RunningServer, tmp_path: Path
) -> None:
    directory = write(
        tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": f"{INDEX};\nSELECT 1/0;\nSELECT 2", "3_c.up.sql": INDEX}
    )
    judged, found = check(server, directory)
    assert len(judged) == 1
    assert [each.finding.code for each in found] == ["index-build-blocks-writes", "fails-on-rows"]
    assert found[0].steps
