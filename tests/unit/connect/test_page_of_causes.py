"""docs/reference/connection-errors.md says what the table of causes says.

Run this file as a program to write the page's tables anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from howdah.connect.causes import CAUSES
from howdah.connect.causes.cause import Cause
from howdah.connect.causes.login import LOGIN
from howdah.connect.causes.network import NETWORK
from howdah.connect.causes.pooler import POOLER
from howdah.connect.causes.server import SERVER
from howdah.connect.causes.tls import TLS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "connection-errors.md"
GROUPS = {"network": NETWORK, "tls": TLS, "pooler": POOLER, "login": LOGIN, "server": SERVER}
_BLOCK = re.compile(r"(<!-- causes: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WORDS = {
    "place": "HOST:PORT",
    "host": "HOST",
    "user": "the role",
    "database": "the database",
}


def table(causes: tuple[Cause, ...]) -> str:
    """The rows of a group as markdown."""
    rows = [
        f"| [`{cause.code}`](errors.md#{cause.code}) | {cause.sqlstate or '-'} | {'yes' if cause.transient else 'no'}"
        f" | {cause.why.format(**_WORDS)} |"
        for cause in causes
    ]
    return "\n".join(["| code | SQLSTATE | waited for | what it means |", "|---|---|---|---|", *rows]) + "\n"


def with_tables(text: str) -> str:
    return _BLOCK.sub(lambda found: f"{found[1]}{table(GROUPS[found[2]])}{found[3]}", text)


def test_the_page_has_every_row_as_the_table_has_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_tables(text), f"write it anew: python {Path(__file__).name}"
    assert all(f"<!-- causes: {name} -->" in text for name in GROUPS)
    assert sum(map(len, GROUPS.values())) + 1 == len(CAUSES)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
