CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE INDEX locations_name_trgm_idx ON locations USING gin (name gin_trgm_ops);
CREATE INDEX characters_name_trgm_idx ON characters USING gin (name gin_trgm_ops);
