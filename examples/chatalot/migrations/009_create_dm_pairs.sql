-- Two people have one channel between them, whoever wrote first.
CREATE TABLE dm_pairs (
    channel_id uuid PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    user_a     uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_b     uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    CHECK (user_a < user_b),
    UNIQUE (user_a, user_b)
);

CREATE INDEX dm_pairs_user_b_idx ON dm_pairs (user_b);
