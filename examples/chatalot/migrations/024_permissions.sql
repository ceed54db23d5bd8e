CREATE TYPE channel_role AS ENUM ('member', 'moderator', 'admin', 'owner');

ALTER TABLE channel_members ADD COLUMN role channel_role NOT NULL DEFAULT 'member';

UPDATE channel_members SET role = 'owner'
FROM channels
WHERE channels.id = channel_members.channel_id AND channels.created_by = channel_members.user_id;

CREATE TABLE channel_permissions (
    channel_id  uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    role        channel_role NOT NULL,
    may_send    boolean NOT NULL DEFAULT true,
    may_upload  boolean NOT NULL DEFAULT true,
    may_pin     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (channel_id, role)
);
