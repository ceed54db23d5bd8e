ALTER TABLE channels ADD COLUMN archived_at timestamptz;
ALTER TABLE channels ADD COLUMN archived_by uuid REFERENCES users (id) ON DELETE SET NULL;

CREATE INDEX channels_active_idx ON channels (group_id, name) WHERE archived_at IS NULL;
