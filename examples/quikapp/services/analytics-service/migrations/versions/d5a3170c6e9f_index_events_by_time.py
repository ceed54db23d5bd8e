"""index events by time"""

from alembic import op

revision = "d5a3170c6e9f"
down_revision = "b26d8e13f794"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX idx_events_created ON events USING BRIN (created_at)")


def downgrade() -> None:
    op.drop_index("idx_events_created")
