CREATE TYPE session_status AS ENUM ('active', 'detached', 'ended');

CREATE TABLE sessions (
    id           text PRIMARY KEY,
    character_id text NOT NULL REFERENCES characters (id) ON DELETE CASCADE,
    status       session_status NOT NULL DEFAULT 'active',
    cursors      jsonb NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    detached_at  timestamptz,
    expires_at   timestamptz
);

-- A character is played in one session at a time.
CREATE UNIQUE INDEX sessions_character_id_key ON sessions (character_id) WHERE status <> 'ended';
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at) WHERE status = 'detached';
