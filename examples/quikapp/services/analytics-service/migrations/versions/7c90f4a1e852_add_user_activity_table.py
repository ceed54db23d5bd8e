"""add user activity table"""

from alembic import op

revision = "7c90f4a1e852"
down_revision = "58d2e6b4c013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE user_activity (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
            user_id UUID NOT NULL,
            workspace_id UUID NOT NULL,
            date DATE NOT NULL,
            messages_sent INTEGER DEFAULT 0,
            reactions_given INTEGER DEFAULT 0,
            files_uploaded INTEGER DEFAULT 0,
            time_spent_minutes INTEGER DEFAULT 0,
            UNIQUE(user_id, workspace_id, date)
        )
    """)
    op.create_index("idx_user_activity_user", "user_activity", ["user_id", "date"])


def downgrade() -> None:
    op.drop_table("user_activity")
