"""Alembic: revisions in Python, a history of heads, no lock. Read without running anything; run by Alembic itself."""

from __future__ import annotations

from howdah.migrate.formats.alembic.files import AlembicFiles
from howdah.migrate.formats.alembic.host import AlembicHost
from howdah.migrate.formats.alembic.table import AlembicTable
from howdah.migrate.formats.interface import Format

ALEMBIC = Format("alembic", AlembicFiles(), AlembicTable(), AlembicHost())
