CREATE TABLE read_cursors (
    user_id              uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    channel_id           uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    last_read_message_id uuid REFERENCES messages (id) ON DELETE SET NULL,
    last_read_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, channel_id)
);
