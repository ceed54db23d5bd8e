ALTER TABLE users ADD COLUMN is_owner boolean NOT NULL DEFAULT false;

-- There is one: the administrator who was here first.
UPDATE users SET is_owner = true
WHERE id = (SELECT id FROM users WHERE is_admin ORDER BY created_at, id LIMIT 1);

CREATE UNIQUE INDEX users_is_owner_key ON users (is_owner) WHERE is_owner;
