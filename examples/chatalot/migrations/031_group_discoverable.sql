-- Apart from 030: that one was applied already, and an applied file is never changed.
ALTER TABLE groups ADD COLUMN is_discoverable boolean NOT NULL DEFAULT true;
