CREATE EXTENSION IF NOT EXISTS vector;

CREATE TYPE embedded_kind AS ENUM ('prompt', 'artifact', 'memory');

-- The width is fixed in the code as well; howdah.toml names it, and `howdah doctor` compares.
CREATE TABLE embeddings (
    id          uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    team_id     uuid NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    entity_kind embedded_kind NOT NULL,
    entity_id   uuid NOT NULL,
    chunk       integer NOT NULL DEFAULT 0 CHECK (chunk >= 0),
    model       text NOT NULL,
    embedding   vector(1024) NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT embeddings_entity_key UNIQUE (entity_kind, entity_id, model, chunk)
);

CREATE INDEX embeddings_team_id_idx ON embeddings (team_id);
