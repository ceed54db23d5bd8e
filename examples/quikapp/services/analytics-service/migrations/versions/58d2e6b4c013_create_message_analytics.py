"""create message analytics"""

from alembic import op

revision = "58d2e6b4c013"
down_revision = "3f1c0a9d7b21"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE message_analytics (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
            workspace_id UUID NOT NULL,
            channel_id UUID NOT NULL,
            hour TIMESTAMPTZ NOT NULL,
            message_count INTEGER DEFAULT 0,
            unique_users INTEGER DEFAULT 0,
            avg_message_length FLOAT,
            created_at TIMESTAMPTZ DEFAULT NOW()
        )
    """)
    op.create_index("idx_message_analytics_channel", "message_analytics", ["channel_id", "hour"])


def downgrade() -> None:
    op.drop_table("message_analytics")
