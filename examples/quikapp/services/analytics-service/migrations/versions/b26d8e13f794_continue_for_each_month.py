"""continue for each month"""

from collections.abc import Iterator
from datetime import date

from alembic import op

revision = "b26d8e13f794"
down_revision = "9e47b05d3c68"
branch_labels = None
depends_on = None

FIRST, END = date(2024, 3, 1), date(2027, 1, 1)


def months() -> Iterator[tuple[date, date]]:
    """Each month with the one after it."""
    start = FIRST
    while start < END:
        following = date(start.year + start.month // 12, start.month % 12 + 1, 1)
        yield start, following
        start = following


def upgrade() -> None:
    for start, end in months():
        op.execute(
            f"CREATE TABLE events_{start:%Y_%m} PARTITION OF events FOR VALUES FROM ('{start}') TO ('{end}')"
        )
    # what comes before the next months are made is kept here, not refused
    op.execute("CREATE TABLE events_default PARTITION OF events DEFAULT")


def downgrade() -> None:
    op.drop_table("events_default")
    for start, _ in months():
        op.drop_table(f"events_{start:%Y_%m}")
