CREATE INDEX idx_channels_active
    ON channels(workspace_id, created_at)
    WHERE is_archived = FALSE;

CREATE INDEX idx_members_active
    ON channel_members(channel_id)
    WHERE muted = FALSE;

CREATE INDEX idx_channels_workspace_covering
    ON channels(workspace_id)
    INCLUDE (name, type, created_at);
