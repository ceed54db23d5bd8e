CREATE TABLE tags (
    id         uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    project_id uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name       text NOT NULL,
    color      varchar(7) NOT NULL DEFAULT '#6b7280',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tags_project_id_name_key UNIQUE (project_id, name)
);
