"""goose v3: annotated files with both directions, Go functions, a history of one row for each version.

Sources: pressly/goose v3.29.0. Where its command line and its Provider differ, the command line is followed.
"""

from __future__ import annotations

from howdah.migrate.formats.goose.files import GooseFiles
from howdah.migrate.formats.goose.lease import GooseLease
from howdah.migrate.formats.goose.table import GooseTable
from howdah.migrate.formats.interface import Format

GOOSE = Format(
    "goose",
    GooseFiles(),
    GooseTable(),
    lease=GooseLease(),
    follows_search_path=True,
    dirty_means="Its newest row says `is_applied = false`, which only goose before v3 wrote, going down: goose's"
    " `status` calls the version pending, and its `up` never runs it.",
)
