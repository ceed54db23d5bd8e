CREATE TABLE blocked_users (
    blocker_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    blocked_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (blocker_id, blocked_id),
    CHECK (blocker_id <> blocked_id)
);

CREATE TYPE report_status AS ENUM ('open', 'dismissed', 'acted_upon');

CREATE TABLE reports (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    reporter_id uuid REFERENCES users (id) ON DELETE SET NULL,
    user_id     uuid REFERENCES users (id) ON DELETE CASCADE,
    message_id  uuid REFERENCES messages (id) ON DELETE SET NULL,
    reason      varchar(1000) NOT NULL,
    status      report_status NOT NULL DEFAULT 'open',
    reviewed_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    reviewed_at timestamptz
);

CREATE INDEX reports_open_idx ON reports (created_at) WHERE status = 'open';
