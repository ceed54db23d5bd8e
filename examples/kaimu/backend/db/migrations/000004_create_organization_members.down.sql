DROP TABLE organization_members;
DROP TYPE member_role;
