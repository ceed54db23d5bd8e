ALTER TABLE users ADD COLUMN failed_logins integer NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN locked_until timestamptz;
ALTER TABLE users ADD COLUMN storage_quota_bytes bigint NOT NULL DEFAULT 1073741824;

CREATE VIEW storage_usage AS
SELECT users.id AS user_id, users.storage_quota_bytes, coalesce(sum(files.size_bytes), 0)::bigint AS used_bytes
FROM users
LEFT JOIN files ON files.uploader_id = users.id
GROUP BY users.id;
