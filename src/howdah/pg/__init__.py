"""Facts about PostgreSQL: pure, or one subprocess call."""
