"""The areas of the command line: one line of help each, and the module to load when one is named.

This table is all that `howdah --help` needs; nothing else is imported for it (docs/decisions/0002-start-up-time.md).
"""

from __future__ import annotations

# area -> (module of cli/, one line for the list of commands)
AREAS: dict[str, tuple[str, str]] = {
    "dev": ("dev", "A local PostgreSQL for this project: no Docker, no root, no account."),
    "setup": ("setup", "Roles, databases, owners, grants and extensions."),
    "migrate": ("migrate", "Apply, revert and inspect migrations."),
    "schema": ("schema", "The structure as SQL to commit; what differs, drift among it."),
    "check": ("check", "Is it safe to merge, and to deploy: migrations run up, down and up, and watched."),
    "status": ("status", "One table for one database or ninety."),
    "doctor": ("doctor", "Why can I not connect, what is set up wrong, what to type next."),
}

# What people type who leave the area out.
MEANT = {
    "up": "migrate up",
    "down": "migrate down",
    "new": "migrate new",
    "create": "migrate new",
    "plan": "migrate plan",
}

_HEAD = """\
Usage: howdah AREA [ACTION] [OPTIONS]

  Carries an application's PostgreSQL from git clone to production.
  Reads the migrations you have; your own migration tool goes on working.

Start here:
  howdah dev up        a running PostgreSQL with your schema in it
  howdah doctor        what is wrong with a connection, and what to type next

Areas:
"""
_TAIL = """
Options:
  -h, --help     This page; `howdah AREA --help` lists an area's actions.
  --version      The version, and the versions of what it runs on.

Exit codes: 0 done, 1 the answer is no, 2 usage or configuration, 3 cannot connect,
4 failed (the message says what is done), 5 refused by a guard, 130 interrupted.
"""


def help_page() -> str:
    """The text of `howdah --help`."""
    width = max(map(len, AREAS)) + 2
    return _HEAD + "".join(f"  {name:<{width}}{line}\n" for name, (_, line) in AREAS.items()) + _TAIL
