"""sqlx.toml (sqlx 0.9): the settings that change what sqlx would find in a history."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from howdah.errors import SourceError, Where

_NAME = "sqlx.toml"
_USUAL_TABLE = "_sqlx_migrations"


def refuse_unsupported_settings(directory: Path) -> None:
    """Stop where the project's sqlx.toml gives files other checksums, or the history another name.

    `migrations-dir`, `create-schemas` and `defaults` change neither.

    Raises:
        SourceError: it does, or it cannot be read.
    """
    file = next(_candidates(directory), None)
    if file is None:
        return
    try:
        migrate = tomllib.loads(file.read_text()).get("migrate", {})
    except (OSError, ValueError) as error:
        raise SourceError(
            f"cannot read {file}: {error}", code="unsupported-setting", where=Where(str(file))
        ) from error
    if migrate.get("ignored-chars"):
        raise _unsupported(
            file,
            "ignored-chars",
            "The checksums in the history leave these characters out, and howdah's would not: every applied"
            " migration would look modified.",
        )
    if migrate.get("table-name", _USUAL_TABLE) != _USUAL_TABLE:
        raise _unsupported(file, "table-name", "howdah would look for the history in another table.")


def _candidates(directory: Path) -> Iterator[Path]:
    """sqlx.toml in this folder or above, up to the top of the repository."""
    for place in (directory.absolute(), *directory.absolute().parents):
        if (place / _NAME).is_file():
            yield place / _NAME
        if (place / ".git").exists():
            return


def _unsupported(file: Path, key: str, why: str) -> SourceError:
    return SourceError(
        f"{key} in [migrate] is not supported", code="unsupported-setting", where=Where(str(file)), why=why
    )
