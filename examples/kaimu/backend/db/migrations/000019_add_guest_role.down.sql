-- An enum cannot lose a value, so it is made again without it. Guests become members: this step loses who was one.
DROP INDEX organization_members_one_owner_idx;
ALTER TABLE organization_members ALTER COLUMN role DROP DEFAULT;

ALTER TYPE member_role RENAME TO member_role_with_guest;
CREATE TYPE member_role AS ENUM ('owner', 'admin', 'member');

ALTER TABLE organization_members
    ALTER COLUMN role TYPE member_role
    USING (CASE role::text WHEN 'guest' THEN 'member' ELSE role::text END)::member_role;
ALTER TABLE organization_members ALTER COLUMN role SET DEFAULT 'member';
DROP TYPE member_role_with_guest;

CREATE UNIQUE INDEX organization_members_one_owner_idx
    ON organization_members (organization_id)
    WHERE role = 'owner';
