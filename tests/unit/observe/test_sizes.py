"""The file of sizes: what was written is read again, and what is wrong with one is said precisely."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from howdah.errors import ConfigError
from howdah.observe.sizes import Stats, TableSize, load_stats, parse_stats, save_stats

STATS = Stats(
    server="17.2",
    major=17,
    taken_at="2026-11-20T02:00:00Z",
    counted_seconds=86400.5,
    settings={"shared_buffers": "4GB", "deadlock_timeout": "1s"},
    tables=(
        TableSize(
            "public.users", rows=1_000_000, heap_bytes=157_000_000, index_bytes=27_000_000, reads=864_000
        ),
        TableSize('public."Order Items"', rows=5, rows_are_guessed=True, writes=7),
    ),
)


def test_what_was_written_is_read_again() -> None:
    found = parse_stats(save_stats(STATS))
    assert found.by_name == STATS.by_name
    assert (found.server, found.counted_seconds) == ("17.2", 86400.5)
    assert found.settings == STATS.settings


def test_the_text_is_the_same_for_the_same_values() -> None:
    assert save_stats(parse_stats(save_stats(STATS))) == save_stats(STATS)


def test_a_table_is_one_line_and_they_are_sorted() -> None:
    names = [
        line.split('"name": ')[1].split('", ')[0] for line in save_stats(STATS).splitlines() if "heap" in line
    ]
    assert names == ['"public.\\"Order Items\\"', '"public.users']


def test_no_tables_are_a_file_too() -> None:
    empty = Stats(server="18.0", major=18, taken_at="2026-11-20T02:00:00Z")
    assert parse_stats(save_stats(empty)) == empty


def test_rates_are_known_only_where_the_time_is() -> None:
    assert STATS.per_second(864_005) == pytest.approx(10, abs=0.01)
    assert Stats("18.0", 18, "").per_second(5) is None


def wrong(**changes: Any) -> str:
    whole = json.loads(save_stats(STATS))
    return json.dumps({**whole, **changes})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "is not a file of `howdah schema stats`"),
        ("{}", "is not a file of `howdah schema stats`"),
        (wrong(howdah_stats=2), "has version 2; this howdah reads 1"),
        (wrong(major="17"), "has '17' for 'major' of the file"),
        (wrong(major=True), "has True for 'major' of the file"),
        (wrong(counted_seconds=-1), "has -1 for 'counted_seconds' of the file: a number below 0, or none"),
        (
            wrong(counted_seconds=float("nan")),
            "has nan for 'counted_seconds' of the file: a number below 0, or none",
        ),
        (wrong(tables={}), "has {} for 'tables' of the file"),
        (wrong(tables=[1]), "has a table 1 that is no object"),
        (wrong(tables=[{"name": "a.b"}]), "lacks 'kind' of table a.b"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "stats.json"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_stats(file)
    assert caught.value.code == "bad-stats"
    assert caught.value.message == f"{file} {said}"


def test_a_table_that_is_there_twice_is_refused() -> None:
    tables = json.loads(save_stats(STATS))["tables"]
    with pytest.raises(ValueError, match=r"has table public\.users twice"):
        parse_stats(wrong(tables=[tables[1], tables[1]]))


def test_an_unknown_kind_is_refused() -> None:
    table = json.loads(save_stats(STATS))["tables"][1]
    with pytest.raises(ValueError, match=r"of kind 'view'"):
        parse_stats(wrong(tables=[{**table, "kind": "view"}]))


def test_a_file_that_is_no_json_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "stats.json"
    file.write_text('{\n  "howdah_stats": 1,\n')
    with pytest.raises(ConfigError) as caught:
        load_stats(file)
    assert caught.value.where is not None
    assert caught.value.where.line == 3


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_stats(tmp_path / "none.json")


def test_the_sum_counts_partitions_once() -> None:
    stats = Stats(
        "18.0",
        18,
        "",
        tables=(
            TableSize("public.p", "partitioned table", heap_bytes=30),
            TableSize("public.p1", heap_bytes=10),
            TableSize("public.p2", heap_bytes=20),
        ),
    )
    assert stats.bytes == 30
