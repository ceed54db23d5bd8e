CREATE TABLE characters (
    id          text PRIMARY KEY,
    player_id   text NOT NULL REFERENCES players (id) ON DELETE CASCADE,
    location_id text REFERENCES locations (id) ON DELETE SET NULL,
    name        text NOT NULL CHECK (name <> ''),
    description text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX characters_player_id_idx ON characters (player_id);
CREATE INDEX characters_location_id_idx ON characters (location_id);
