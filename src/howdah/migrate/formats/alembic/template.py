"""The text of a new revision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from howdah.errors import UnsupportedError, Where
from howdah.migrate.formats.alembic.places import Places

_PLAIN = '''"""{words}

Revision ID: {revision}
Revises: {parent}
Create Date: {date}

"""

from alembic import op
import sqlalchemy as sa

revision = {revision!r}
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
'''


@dataclass(frozen=True)
class Blank:
    """A revision to be written; `parent` is what it builds upon, None for the first."""

    revision: str
    parent: str | None
    words: str

    def render(self, places: Places) -> str:
        """Its text, from the environment's script.py.mako where there is one.

        Raises:
            UnsupportedError: the template needs the Alembic library, which is not installed.
        """
        date = datetime.now(UTC).replace(tzinfo=None)
        template = places.script and places.script / "script.py.mako"
        if template is None or not template.is_file():
            return _PLAIN.format(
                words=self.words,
                revision=self.revision,
                parent=self.parent or "",
                date=date,
                down=self.parent,
            )
        return self._render_theirs(template, date)

    def _render_theirs(self, file: Path, date: datetime) -> str:
        try:
            from mako.template import Template
        except ImportError:
            raise no_library(file) from None
        text: str = Template(filename=str(file)).render_unicode(  # noqa: S702 - Python, not HTML
            up_revision=self.revision,
            down_revision=self.parent,
            branch_labels=None,
            depends_on=None,
            create_date=date,
            comma=_comma,
            message=self.words,
            config=None,
            imports="",
            upgrades="",
            downgrades="",
        )
        return text


def no_library(file: Path) -> UnsupportedError:
    """The error where the Alembic library is wanted and absent."""
    return UnsupportedError(
        "this needs the Alembic library, which is not installed here",
        code="alembic-not-installed",
        where=Where(str(file)),
        why="Revisions are Python; only Alembic runs them, in howdah's own Python, where the project's models must be"
        " importable, too.",
        fix="Install howdah beside the application, with the extra.",
        next=("pip install 'howdah[alembic]'",),
    )


def _comma(value: str | Iterable[str] | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return ", ".join(value)
