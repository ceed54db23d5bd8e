/* What psql's \d+ and the schema browsers show; keep in step with the page "Schema overview".
   /* A comment inside a comment; with a semicolon; */
   The texts below hold semicolons, quotes and dollars on purpose: they are texts; nothing ends there. */
COMMENT ON TABLE organizations IS 'The top level; every project, board and card belongs to one.'; -- one; not two
COMMENT ON TABLE organization_members IS 'Who belongs where; the organization''s owner is a member too.';
COMMENT ON COLUMN organization_members.role IS $$'owner' may do all; 'admin' invites; 'member' works$$;
COMMENT ON COLUMN cards.position IS E'From 0; the column\'s order\; gaps are allowed';
COMMENT ON COLUMN board_columns.wip_limit IS $limit$Most cards at once; NULL: $$no limit$$; never 0$limit$;
COMMENT ON TABLE oidc_identities IS 'Where a user signs in; (issuer, subject) is the provider''s name for the user -- not ours';
