CREATE TABLE registration_invites (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code       varchar(32) NOT NULL UNIQUE,
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    used_by    uuid REFERENCES users (id) ON DELETE SET NULL,
    used_at    timestamptz,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
