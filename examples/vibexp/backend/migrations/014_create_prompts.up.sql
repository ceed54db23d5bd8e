CREATE TABLE prompts (
    id          uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    project_id  uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    slug        text NOT NULL,
    title       text NOT NULL,
    body        text NOT NULL,
    variables   jsonb NOT NULL DEFAULT '[]',
    is_archived boolean NOT NULL DEFAULT false,
    created_by  uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT prompts_project_id_slug_key UNIQUE (project_id, slug),
    CONSTRAINT prompts_variables_is_list CHECK (jsonb_typeof(variables) = 'array')
);

CREATE TRIGGER prompts_set_updated_at BEFORE UPDATE ON prompts
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
