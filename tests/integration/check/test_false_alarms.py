"""What public projects do, and nobody is hurt by."""

from __future__ import annotations

from pathlib import Path

from fix_server import RunningServer
from howdah.check.judgement import judge_step, judge_trip
from howdah.rehearse.round_trip import Travel, try_round_trips
from judging import all_findings, throwaway_at

_TRIGGER = """
CREATE TABLE a (id int);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TYPE mood AS ENUM ('good', 'bad');
"""


def findings(server: RunningServer, directory: Path, up: str, down: str | None = None) -> set[str]:
    """What is found in a migration behind tables of which one has a trigger."""
    (directory / "1_a.up.sql").write_text(_TRIGGER)
    (directory / "2_b.up.sql").write_text(up)
    if down is not None:
        (directory / "2_b.down.sql").write_text(down)
    trip = try_round_trips(throwaway_at(server.address), "golang-migrate", directory, Travel()).trips[-1]
    found = (*all_findings([judge_step(trip.up)]), *judge_trip(trip))
    return {each.finding.code for each in found}


def test_no_program_calls_a_function_of_a_trigger(server: RunningServer, tmp_path: Path) -> None:
    found = findings(server, tmp_path, "DROP TRIGGER touched ON a; DROP FUNCTION touch();")

    assert "drops-object" not in found


def test_a_value_of_an_enum_cannot_be_taken_back(server: RunningServer, tmp_path: Path) -> None:
    found = findings(server, tmp_path, "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'new'", "SELECT 1")

    assert found == set()


def test_a_value_of_an_enum_that_is_added_twice_is_found(server: RunningServer, tmp_path: Path) -> None:
    found = findings(server, tmp_path, "ALTER TYPE mood ADD VALUE 'new'", "SELECT 1")

    assert found == {"up-differs-after-down"}


def test_a_type_that_is_replaced_in_a_transaction_of_the_files_own_breaks_nobody(
    server: RunningServer, tmp_path: Path
) -> None:
    replacing = (
        "BEGIN; CREATE TYPE new AS ENUM ('good'); ALTER TYPE mood RENAME TO old; ALTER TYPE new RENAME TO mood;"
        " DROP TYPE old; COMMIT;"
    )

    assert findings(server, tmp_path, replacing) == set()
