CREATE TYPE message_type AS ENUM ('text', 'file', 'system');

-- The server stores what devices encrypted, and reads none of it.
CREATE TABLE messages (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    channel_id  uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    sender_id   uuid REFERENCES users (id) ON DELETE SET NULL,
    type        message_type NOT NULL DEFAULT 'text',
    ciphertext  bytea NOT NULL,
    nonce       bytea NOT NULL,
    reply_to_id uuid REFERENCES messages (id) ON DELETE SET NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz
);

CREATE INDEX messages_channel_id_created_at_idx ON messages (channel_id, created_at DESC);
