DROP TRIGGER oidc_identities_touch_updated_at ON oidc_identities;
DROP TRIGGER cards_touch_updated_at ON cards;
DROP TRIGGER board_columns_touch_updated_at ON board_columns;
DROP TRIGGER boards_touch_updated_at ON boards;
DROP TRIGGER projects_touch_updated_at ON projects;
DROP TRIGGER organizations_touch_updated_at ON organizations;
DROP TRIGGER users_touch_updated_at ON users;
DROP FUNCTION touch_updated_at();
