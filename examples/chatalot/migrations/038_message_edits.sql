ALTER TABLE messages ADD COLUMN edited_at timestamptz;

CREATE TABLE message_edits (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    message_id uuid NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    ciphertext bytea NOT NULL,
    nonce      bytea NOT NULL,
    edited_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX message_edits_message_id_idx ON message_edits (message_id, edited_at DESC);
