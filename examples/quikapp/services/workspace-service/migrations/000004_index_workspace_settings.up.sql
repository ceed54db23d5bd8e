-- Alone in its file: PostgreSQL does not build an index concurrently inside a transaction, and several
-- statements sent together are one.
CREATE INDEX CONCURRENTLY idx_workspace_settings
    ON workspaces USING GIN (settings);
