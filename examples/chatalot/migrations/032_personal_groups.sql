-- Everybody may keep a group of their own outside of any community.
ALTER TABLE groups ALTER COLUMN community_id DROP NOT NULL;
ALTER TABLE groups ADD COLUMN is_personal boolean NOT NULL DEFAULT false;
ALTER TABLE groups ADD CONSTRAINT groups_are_somewhere CHECK (is_personal = (community_id IS NULL));

CREATE UNIQUE INDEX groups_personal_key ON groups (owner_id) WHERE is_personal;
