"""`${NAME}` and `${NAME:-default}` in the addresses of howdah.toml."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from howdah.config.database import DatabaseConfig
from howdah.config.url import parse_url
from howdah.errors import ConfigError

REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}")


def can_expand(template: str, layers: Sequence[Mapping[str, str]]) -> bool:
    """Whether every variable of the template is set or has a default; an empty one is not set."""
    return all(
        match[2] is not None or _look_up(match, layers) is not None for match in REFERENCE.finditer(template)
    )


def expand_values(
    templates: Mapping[str, str] | None, layers: Sequence[Mapping[str, str]]
) -> dict[str, str] | None:
    """The texts with their variables' values; without those of which a variable is not set and has no default."""
    if templates is None:
        return None

    def value(match: re.Match[str]) -> str:
        return _look_up(match, layers) or match[2] or ""

    return {name: REFERENCE.sub(value, text) for name, text in templates.items() if can_expand(text, layers)}


def expand_url(template: str, layers: Sequence[Mapping[str, str]]) -> str:
    """The URL with its variables' values, percent-encoded where they are part of the user or the password."""

    def value(match: re.Match[str]) -> str:
        return _look_up(match, layers) or match[2] or ""

    if REFERENCE.fullmatch(template):
        return REFERENCE.sub(value, template)
    userinfo, separator, rest = template.rpartition("@")
    encoded = REFERENCE.sub(lambda match: quote(value(match), safe=""), userinfo)
    return encoded + separator + REFERENCE.sub(value, rest)


def has_password(template: str) -> bool:
    """Whether a password stands in the template itself, perhaps as a default, and not in a variable."""

    def filled(digit: str) -> DatabaseConfig:
        return parse_url(REFERENCE.sub(lambda match: match[2] or digit, template))

    try:
        first, second = filled("0").password, filled("1").password
    except ConfigError:  # a variable stands for more than a value; look at user and password only
        return re.search(r"//[^/?#@]*:(?!\$\{\w+\}@)[^@]*@", template) is not None
    return first is not None and first == second


def _look_up(match: re.Match[str], layers: Sequence[Mapping[str, str]]) -> str | None:
    return next((layer[match[1]] for layer in layers if layer.get(match[1])), None)
