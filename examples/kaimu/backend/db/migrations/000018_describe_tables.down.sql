COMMENT ON TABLE oidc_identities IS NULL;
COMMENT ON COLUMN board_columns.wip_limit IS NULL;
COMMENT ON COLUMN cards.position IS NULL;
COMMENT ON COLUMN organization_members.role IS NULL;
COMMENT ON TABLE organization_members IS NULL;
COMMENT ON TABLE organizations IS NULL;
