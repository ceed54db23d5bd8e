-- Everything that happens: said, posed, moved. A client that comes back reads its streams from where it left them.
CREATE TABLE events (
    id         text PRIMARY KEY,
    stream     text NOT NULL,
    kind       text NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN ('character', 'system', 'plugin')),
    actor_id   text NOT NULL,
    payload    jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX events_stream_id_idx ON events (stream, id);
