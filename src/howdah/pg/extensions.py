"""Which extensions a script creates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from howdah.errors import ScriptError
from howdah.pg.statements import split_script

_BLANK = r"(?:\s|--[^\n]*\n|/\*.*?\*/)+"
_CREATE = re.compile(
    rf"CREATE{_BLANK}EXTENSION{_BLANK}(?:IF{_BLANK}NOT{_BLANK}EXISTS{_BLANK})?"
    r'(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[\w$]+))',
    re.IGNORECASE | re.DOTALL,
)


def created_extensions(script: str) -> Iterator[str]:
    """The extensions that a script creates at its top level; a script that cannot be split tells nothing."""
    if "extension" not in script.lower():
        return
    try:
        statements = split_script(script)
    except ScriptError:
        return
    for statement in statements:
        if statement.words[:2] == ("CREATE", "EXTENSION") and (found := _CREATE.match(statement.text)):
            yield found["quoted"].replace('""', '"') if found["quoted"] else found["plain"].lower()
