"""Write the files of a new migration."""

from __future__ import annotations

from pathlib import Path

from howdah.config.database import DatabaseConfig
from howdah.errors import ConfigError
from howdah.migrate.formats.interface import Format


def create_migration(directory: Path, words: str, *, format: Format) -> tuple[Path, ...]:
    """The files of the next version, in the numbering the directory has; makes the directory.

    Raises:
        ConfigError: the words cannot be part of a file's name.
        SourceError: the directory's files are wrong.
    """
    name = "_".join(words.split())
    if not name or "/" in name or "\0" in name or name.startswith("."):
        raise ConfigError(f"'{words}' cannot be part of a file's name", code="bad-name")
    directory.mkdir(parents=True, exist_ok=True)
    while True:
        texts = format.files.new(format.files.read(directory), name)
        paths = tuple(directory / each for each in texts)
        try:
            for path, text in zip(paths, texts.values(), strict=True):
                path.parent.mkdir(exist_ok=True)
                with path.open("x", encoding="utf-8", newline="\n") as file:
                    file.write(text)
        except FileExistsError:
            # Somebody took the number at the same moment; what we made of it goes, and we take the next.
            continue
        return paths


def autogenerate_migration(
    directory: Path, words: str, *, format: Format, database: DatabaseConfig
) -> tuple[Path, ...]:
    """The files of a migration that brings the database to the application's models, as the format's tool writes it.

    Raises:
        ConfigError: it is no tool that can.
        MigrationError: it cannot now; says why.
    """
    if format.host is None:
        raise ConfigError(
            f"{format.name} does not write migrations from models",
            code="no-autogenerate",
            fix="Leave --autogenerate out: that is Alembic's.",
        )
    return format.host.autogenerate(directory, words, database)
