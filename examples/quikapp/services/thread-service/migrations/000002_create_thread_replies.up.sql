CREATE TABLE thread_replies (
    thread_id UUID NOT NULL REFERENCES threads(id) ON DELETE CASCADE,
    message_id UUID NOT NULL,
    user_id UUID NOT NULL,
    replied_at TIMESTAMPTZ DEFAULT NOW(),
    PRIMARY KEY (thread_id, message_id)
);

CREATE INDEX idx_thread_replies_user ON thread_replies(user_id, replied_at);
