ALTER TABLE cards ADD COLUMN search tsvector
    GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', description), 'B')
    ) STORED;

CREATE INDEX cards_search_idx ON cards USING gin (search);
