CREATE TABLE files (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    uploader_id  uuid REFERENCES users (id) ON DELETE SET NULL,
    message_id   uuid REFERENCES messages (id) ON DELETE CASCADE,
    name         bytea NOT NULL,
    size_bytes   bigint NOT NULL CHECK (size_bytes > 0),
    checksum     bytea NOT NULL,
    storage_path text NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX files_message_id_idx ON files (message_id);
