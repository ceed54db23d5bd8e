CREATE TYPE user_status AS ENUM ('online', 'idle', 'do_not_disturb', 'invisible', 'offline');

CREATE TABLE users (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    username      varchar(32) NOT NULL,
    display_name  varchar(64) NOT NULL,
    email         varchar(255) NOT NULL,
    password_hash text NOT NULL,
    avatar_url    text,
    status        user_status NOT NULL DEFAULT 'offline',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX users_username_key ON users (lower(username));
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
