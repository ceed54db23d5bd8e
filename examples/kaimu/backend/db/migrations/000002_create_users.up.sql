CREATE TABLE users (
    id           uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    email        text NOT NULL,
    display_name text NOT NULL,
    avatar_url   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_email_has_at CHECK (position('@' IN email) > 1)
);
