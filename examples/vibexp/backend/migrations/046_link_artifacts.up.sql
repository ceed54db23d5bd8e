CREATE TABLE artifact_links (
    from_id    uuid NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    to_id      uuid NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (from_id, to_id),
    CONSTRAINT artifact_links_not_to_itself CHECK (from_id <> to_id)
);

CREATE INDEX artifact_links_to_id_idx ON artifact_links (to_id);
