ALTER TABLE communities ADD COLUMN is_discoverable boolean NOT NULL DEFAULT false;
ALTER TABLE channels ADD COLUMN is_discoverable boolean NOT NULL DEFAULT true;
