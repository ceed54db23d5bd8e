CREATE TABLE voice_sessions (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);

CREATE UNIQUE INDEX voice_sessions_channel_id_key ON voice_sessions (channel_id) WHERE ended_at IS NULL;

CREATE TABLE voice_session_participants (
    session_id uuid NOT NULL REFERENCES voice_sessions (id) ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    joined_at  timestamptz NOT NULL DEFAULT now(),
    left_at    timestamptz,
    PRIMARY KEY (session_id, user_id, joined_at)
);
