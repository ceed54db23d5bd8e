-- The key itself is shown once and never stored; its SHA-256 is what a request is looked up by.
CREATE TABLE api_keys (
    id           uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    team_id      uuid NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    created_by   uuid REFERENCES users (id) ON DELETE SET NULL,
    name         text NOT NULL,
    prefix       varchar(12) NOT NULL,
    key_sha256   bytea NOT NULL UNIQUE,
    scopes       text[] NOT NULL DEFAULT '{}',
    last_used_at timestamptz,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT api_keys_key_sha256_length CHECK (octet_length(key_sha256) = 32)
);

CREATE INDEX api_keys_team_id_idx ON api_keys (team_id) WHERE revoked_at IS NULL;

CREATE FUNCTION find_api_key(api_key text) RETURNS SETOF api_keys
LANGUAGE sql STABLE AS $$
    SELECT * FROM api_keys
    WHERE key_sha256 = digest(api_key, 'sha256')
      AND revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > now());
$$;
