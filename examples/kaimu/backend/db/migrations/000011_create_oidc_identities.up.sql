-- One user may sign in through several providers; a provider's subject belongs to one user.
CREATE TABLE oidc_identities (
    id             uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id        uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    issuer         text NOT NULL,
    subject        text NOT NULL,
    email          text,
    email_verified boolean NOT NULL DEFAULT false,
    last_login_at  timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT oidc_identities_issuer_subject_key UNIQUE (issuer, subject)
);

CREATE INDEX oidc_identities_user_id_idx ON oidc_identities (user_id);
