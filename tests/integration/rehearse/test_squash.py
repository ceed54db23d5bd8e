"""squash: what it says of the one migration is what it proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from fix_server import RunningServer
from howdah.rehearse.squash import SquashRequest, squash
from howdah.rehearse.verify import Rehearsal


@pytest.mark.parametrize("is_proved", [True, False])
def test_a_way_down_that_no_replay_went_is_told(
    tmp_path: Path, server: RunningServer, *, is_proved: bool
) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"{number}_m.up.sql").write_text(f"CREATE TABLE t{number} (id int);\n")
        (tmp_path / f"{number}_m.down.sql").write_text(f"DROP TABLE t{number};\n")
    if not is_proved:
        (tmp_path / "3_m.down.sql").unlink()
    done = squash(
        SquashRequest(
            format="golang-migrate", directory=tmp_path, to="2", rehearsal=Rehearsal(at=server.address)
        )
    )
    assert done.has_down
    assert ("unproved-down" in {note.code for note in done.notes}) is not is_proved
