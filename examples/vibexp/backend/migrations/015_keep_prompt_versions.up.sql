CREATE TABLE prompt_versions (
    prompt_id  uuid NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    version    integer NOT NULL CHECK (version > 0),
    title      text NOT NULL,
    body       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (prompt_id, version)
);

CREATE FUNCTION keep_prompt_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO prompt_versions (prompt_id, version, title, body)
    SELECT OLD.id, coalesce(max(version), 0) + 1, OLD.title, OLD.body
    FROM prompt_versions
    WHERE prompt_id = OLD.id;
    RETURN NULL;
END;
$$;

CREATE TRIGGER prompts_keep_version AFTER UPDATE OF title, body ON prompts
    FOR EACH ROW WHEN (OLD.title <> NEW.title OR OLD.body <> NEW.body)
    EXECUTE FUNCTION keep_prompt_version();
