DROP INDEX idx_channels_workspace_covering;
DROP INDEX idx_members_active;
DROP INDEX idx_channels_active;
