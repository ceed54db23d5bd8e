-- A thing lies in a room, is carried by somebody, or is in another thing: in one place at a time.
CREATE TABLE objects (
    id                     text PRIMARY KEY,
    name                   text NOT NULL,
    description            text NOT NULL DEFAULT '',
    location_id            text REFERENCES locations (id) ON DELETE CASCADE,
    held_by_character_id   text REFERENCES characters (id) ON DELETE CASCADE,
    contained_in_object_id text REFERENCES objects (id) ON DELETE CASCADE,
    is_container           boolean NOT NULL DEFAULT false,
    created_at             timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT objects_are_in_one_place
        CHECK (num_nonnulls(location_id, held_by_character_id, contained_in_object_id) = 1)
);

CREATE INDEX objects_location_id_idx ON objects (location_id);
CREATE INDEX objects_held_by_character_id_idx ON objects (held_by_character_id);
CREATE INDEX objects_contained_in_object_id_idx ON objects (contained_in_object_id);
