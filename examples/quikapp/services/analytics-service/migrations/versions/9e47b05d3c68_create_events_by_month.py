"""create events by month"""

from alembic import op

revision = "9e47b05d3c68"
down_revision = "7c90f4a1e852"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE events (
            id UUID DEFAULT gen_random_uuid(),
            workspace_id UUID NOT NULL,
            event_type VARCHAR(50) NOT NULL,
            user_id UUID,
            metadata JSONB,
            created_at TIMESTAMPTZ DEFAULT NOW()
        ) PARTITION BY RANGE (created_at)
    """)
    op.execute("""
        CREATE TABLE events_2024_01 PARTITION OF events
            FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')
    """)
    op.execute("""
        CREATE TABLE events_2024_02 PARTITION OF events
            FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')
    """)
    op.create_index("idx_events_workspace", "events", ["workspace_id", "created_at"])


def downgrade() -> None:
    op.drop_table("events")
