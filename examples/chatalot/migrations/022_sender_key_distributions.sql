CREATE TABLE sender_key_distributions (
    channel_id   uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    sender_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    chain_id     integer NOT NULL,
    distribution bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (channel_id, sender_id, chain_id)
);
