-- What an assistant was told to remember: by a person, for a project or (project_id NULL) everywhere.
CREATE TABLE memories (
    id         uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    team_id    uuid NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    project_id uuid REFERENCES projects (id) ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    content    text NOT NULL,
    source     text NOT NULL DEFAULT 'manual',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT memories_source_known CHECK (source IN ('manual', 'mcp', 'import'))
);

CREATE INDEX memories_user_id_idx ON memories (user_id, created_at DESC);
CREATE INDEX memories_project_id_idx ON memories (project_id) WHERE project_id IS NOT NULL;
CREATE TRIGGER memories_set_updated_at BEFORE UPDATE ON memories
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
