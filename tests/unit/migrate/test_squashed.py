"""carry_on: which migrations a database wants, whatever it stands at."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import SourceError
from howdah.migrate.formats import find_format
from howdah.migrate.history import Applied, History, HistoryTable
from howdah.migrate.migration import Source
from howdah.migrate.squashed import carry_on, settle
from howdah.migrate.standing import stand

TABLE = HistoryTable("app", "public", "history")
FORMATS = {
    "goose": "-- +goose Up\n",
    "sqlx": "",
    "golang-migrate": "",
    "dbmate": "-- migrate:up\n-- migrate:down\n",
}


def write(directory: Path, format: str, *squashed_to: int) -> Source:
    """Migrations 1 to 9, squashed to these versions one after the other."""
    start = 1
    for version in squashed_to:
        archive = directory / "squashed" / str(version)
        archive.mkdir(parents=True)
        for number in range(start, version + 1):
            is_squash = number == start and start > 1
            (archive / name_of(format, number, is_squash=is_squash)).write_text(FORMATS[format])
        stated = {"howdah": 1, "format": format, "version": str(version), "replaced": []}
        (archive / "manifest.json").write_text(json.dumps(stated))
        start = version
    for number in range(start, 10):
        is_squash = number == start and start > 1
        (directory / name_of(format, number, is_squash=is_squash)).write_text(FORMATS[format])
    return find_format(format).files.read(directory)


def name_of(format: str, number: int, *, is_squash: bool) -> str:
    ending = ".up.sql" if format == "golang-migrate" else ".sql"
    return f"{number}_{'squashed' if is_squash else 'm'}{ending}"


def history(format: str, *versions: int) -> History:
    kept = versions[-1:] if format == "golang-migrate" else versions
    return History(TABLE, True, tuple(Applied(str(version)) for version in kept))


def pending(format: str, source: Source, past: History) -> list[str]:
    tool = find_format(format)
    standing = stand(tool, carry_on(tool, source, past), past)
    assert not standing.missing
    return [f"{each.version} {each.name}" for each in standing.pending]


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_database_gets_the_one_migration(tmp_path: Path, format: str) -> None:
    source = write(tmp_path, format, 4)
    assert pending(format, source, history(format)) == ["4 squashed", "5 m", "6 m", "7 m", "8 m", "9 m"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_database_among_the_squashed_ones_gets_the_rest_of_them(tmp_path: Path, format: str) -> None:
    source = write(tmp_path, format, 4)
    assert pending(format, source, history(format, 1, 2))[:3] == ["3 m", "4 m", "5 m"]


@given(
    format=st.sampled_from(sorted(FORMATS)),
    squashes=st.lists(st.integers(2, 8), max_size=3, unique=True).map(sorted),
    at=st.integers(0, 9),
    made_by=st.integers(0, 3),
)
def test_nothing_is_missing_and_nothing_runs_twice(
    format: str, squashes: list[int], at: int, made_by: int
) -> None:
    """A database made before, between or after the squashes, which stands anywhere."""
    with tempfile.TemporaryDirectory() as name:
        source = write(Path(name), format, *squashes)
        first = [1, *squashes][min(made_by, len(squashes))]
        applied = tuple(range(first, at + 1))
        todo = pending(format, source, history(format, *applied))
        numbers = [int(each.split()[0]) for each in todo]
        if applied:
            assert numbers == list(range(at + 1, 10))
        else:
            assert numbers == list(range(squashes[-1] if squashes else 1, 10))


@pytest.mark.parametrize("format", FORMATS)
def test_only_rows_of_versions_without_a_file_are_settled(tmp_path: Path, format: str) -> None:
    source = write(tmp_path, format, 4)
    tool = find_format(format)
    gone, queries = settle(tool, source, history(format, 1, 2, 3, 4, 5))
    assert gone == ([] if format == "golang-migrate" else ["1", "2", "3"])
    assert bool(queries) == bool(gone)
    assert settle(tool, source, history(format, 1, 2)) == ([], [])
    assert settle(tool, source, history(format, 4, 5)) == ([], [])


def test_a_manifest_of_another_format_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path, "goose", 4)
    with pytest.raises(SourceError) as caught:
        carry_on(find_format("sqlx"), source, history("sqlx", 1))
    assert caught.value.code == "bad-manifest"
