CREATE TABLE card_tags (
    card_id    uuid NOT NULL REFERENCES cards (id) ON DELETE CASCADE,
    tag_id     uuid NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (card_id, tag_id)
);

CREATE INDEX card_tags_tag_id_idx ON card_tags (tag_id);
