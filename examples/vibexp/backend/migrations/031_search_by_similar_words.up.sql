CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE INDEX prompts_title_trgm_idx ON prompts USING gin (title gin_trgm_ops);
CREATE INDEX artifacts_title_trgm_idx ON artifacts USING gin (title gin_trgm_ops);
CREATE INDEX memories_content_trgm_idx ON memories USING gin (content gin_trgm_ops);
