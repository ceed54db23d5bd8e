"""create daily active users"""

from alembic import op

revision = "3f1c0a9d7b21"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE daily_active_users (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
            workspace_id UUID NOT NULL,
            date DATE NOT NULL,
            user_count INTEGER DEFAULT 0,
            message_count INTEGER DEFAULT 0,
            reaction_count INTEGER DEFAULT 0,
            file_upload_count INTEGER DEFAULT 0,
            created_at TIMESTAMPTZ DEFAULT NOW(),
            UNIQUE(workspace_id, date)
        )
    """)
    op.create_index("idx_daily_active_users_workspace", "daily_active_users", ["workspace_id", "date"])


def downgrade() -> None:
    op.drop_table("daily_active_users")
