CREATE TYPE artifact_kind AS ENUM ('note', 'document', 'code', 'diagram', 'link');

CREATE TABLE artifacts (
    id         uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    project_id uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    kind       artifact_kind NOT NULL DEFAULT 'note',
    slug       text NOT NULL,
    title      text NOT NULL,
    content    text NOT NULL DEFAULT '',
    metadata   jsonb NOT NULL DEFAULT '{}',
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT artifacts_project_id_slug_key UNIQUE (project_id, slug)
);

CREATE INDEX artifacts_metadata_idx ON artifacts USING gin (metadata jsonb_path_ops);
CREATE TRIGGER artifacts_set_updated_at BEFORE UPDATE ON artifacts
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
