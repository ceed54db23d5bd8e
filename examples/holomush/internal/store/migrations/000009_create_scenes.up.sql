CREATE TABLE scenes (
    id          text PRIMARY KEY,
    location_id text NOT NULL REFERENCES locations (id) ON DELETE CASCADE,
    title       text NOT NULL,
    warnings    text[] NOT NULL DEFAULT '{}',
    opened_at   timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz
);

CREATE TABLE scene_participants (
    scene_id     text NOT NULL REFERENCES scenes (id) ON DELETE CASCADE,
    character_id text NOT NULL REFERENCES characters (id) ON DELETE CASCADE,
    role         text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'member', 'invited')),
    joined_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scene_id, character_id)
);

CREATE INDEX scenes_location_id_idx ON scenes (location_id);
CREATE INDEX scene_participants_character_id_idx ON scene_participants (character_id);

-- Those who are in a room, for `look`.
CREATE VIEW characters_present AS
SELECT characters.location_id, characters.id, characters.name
FROM characters
JOIN sessions ON sessions.character_id = characters.id
WHERE sessions.status = 'active';
