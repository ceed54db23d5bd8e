ALTER TABLE users ADD COLUMN bio varchar(500);
ALTER TABLE users ADD COLUMN pronouns varchar(40);
ALTER TABLE users ADD COLUMN custom_status varchar(128);

ALTER TABLE channels ADD COLUMN slow_mode_seconds integer NOT NULL DEFAULT 0 CHECK (slow_mode_seconds >= 0);
ALTER TABLE channels ADD COLUMN is_read_only boolean NOT NULL DEFAULT false;

CREATE TABLE webhooks (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    name       varchar(64) NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
