-- A group whose owner leaves goes with them; what was said in other places stays, without a name.
ALTER TABLE groups DROP CONSTRAINT groups_owner_id_fkey;
ALTER TABLE groups ADD CONSTRAINT groups_owner_id_fkey
    FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE;

ALTER TABLE users ADD COLUMN deletion_requested_at timestamptz;
