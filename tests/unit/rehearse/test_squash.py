"""squash: what is refused before any server is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from howdah.errors import UnsupportedError
from howdah.rehearse.squash import SquashRequest, squash


@pytest.mark.parametrize(
    ("format", "names"),
    [
        ("flyway", ["V1__a.sql", "V2__b.sql"]),
        ("prisma", ["20240101000000_a/migration.sql", "20240102000000_b/migration.sql"]),
    ],
)
def test_a_format_that_nothing_writes_is_refused(tmp_path: Path, format: str, names: list[str]) -> None:
    for name in names:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("SELECT 1;\n")
    last = names[-1].partition("/")[0] if format == "prisma" else "2"
    with pytest.raises(UnsupportedError, match=f"migrations of {format}"):
        squash(SquashRequest(format=format, directory=tmp_path, to=last))
    assert not (tmp_path / "squashed").exists()
