CREATE TABLE locations (
    id            text PRIMARY KEY,
    kind          text NOT NULL DEFAULT 'persistent' CHECK (kind IN ('persistent', 'scene', 'instance')),
    name          text NOT NULL,
    description   text NOT NULL DEFAULT '',
    owner_id      text REFERENCES players (id) ON DELETE SET NULL,
    replay_policy text NOT NULL DEFAULT 'last:0',
    created_at    timestamptz NOT NULL DEFAULT now(),
    archived_at   timestamptz
);

CREATE TABLE exits (
    id               text PRIMARY KEY,
    from_location_id text NOT NULL REFERENCES locations (id) ON DELETE CASCADE,
    to_location_id   text NOT NULL REFERENCES locations (id) ON DELETE CASCADE,
    name             text NOT NULL,
    aliases          text[] NOT NULL DEFAULT '{}',
    is_locked        boolean NOT NULL DEFAULT false,
    created_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (from_location_id, name)
);

CREATE INDEX exits_to_location_id_idx ON exits (to_location_id);
