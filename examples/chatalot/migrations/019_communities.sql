CREATE TABLE communities (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        varchar(64) NOT NULL,
    description varchar(2000),
    icon_url    text,
    owner_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TYPE community_role AS ENUM ('member', 'moderator', 'admin', 'owner');

CREATE TABLE community_members (
    community_id uuid NOT NULL REFERENCES communities (id) ON DELETE CASCADE,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role         community_role NOT NULL DEFAULT 'member',
    joined_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (community_id, user_id)
);

-- Groups that were there before get a community of their own, with the group's identifier.
INSERT INTO communities (id, name, description, owner_id, created_at)
SELECT id, name, description, owner_id, created_at FROM groups;

INSERT INTO community_members (community_id, user_id, role, joined_at)
SELECT m.group_id, m.user_id,
    CASE WHEN m.user_id = g.owner_id THEN 'owner' ELSE 'member' END::community_role, m.joined_at
FROM group_members AS m
JOIN groups AS g ON g.id = m.group_id;

ALTER TABLE groups ADD COLUMN community_id uuid REFERENCES communities (id) ON DELETE CASCADE;
UPDATE groups SET community_id = id;
ALTER TABLE groups ALTER COLUMN community_id SET NOT NULL;
CREATE INDEX groups_community_id_idx ON groups (community_id);
