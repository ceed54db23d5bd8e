"""The dump of one structure is the same text from every major version, but for the wording of views before 16."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path

import pytest

from fix_db import connect
from fix_server import available_programs, reachable_directory
from howdah.schema.dump import dump_schema
from howdah.server.local import LocalServer

RICH = Path(__file__).resolve().parents[2] / "cases" / "schema" / "rich.sql"
NEWEST = max(available_programs())
_VIEW = re.compile(r"^CREATE (?:OR REPLACE |MATERIALIZED )?VIEW .*?;$", re.MULTILINE | re.DOTALL)


@cache
def dumped(major: int) -> str:
    directory = reachable_directory()
    server = LocalServer(directory / "server", available_programs()[major], settings={"fsync": "off"})
    try:
        server.start()
        with connect(server.address) as connection:
            connection.execute(RICH.read_bytes())
            return dump_schema(connection, server.address).text
    finally:
        server.destroy()
        shutil.rmtree(directory)


@pytest.mark.parametrize("major", sorted(set(available_programs()) - {NEWEST}))
def test_another_major_says_the_same(major: int) -> None:
    text, newest = dumped(major), dumped(NEWEST)
    if major < 16:
        assert len(_VIEW.findall(text)) == len(_VIEW.findall(newest)) > 3
        text, newest = _VIEW.sub("", text), _VIEW.sub("", newest)
    assert text == newest
