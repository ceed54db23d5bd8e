CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    -- An UPDATE that changes nothing is no change; the time stays.
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER users_touch_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER organizations_touch_updated_at BEFORE UPDATE ON organizations
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER projects_touch_updated_at BEFORE UPDATE ON projects
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER boards_touch_updated_at BEFORE UPDATE ON boards
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER board_columns_touch_updated_at BEFORE UPDATE ON board_columns
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER cards_touch_updated_at BEFORE UPDATE ON cards
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER oidc_identities_touch_updated_at BEFORE UPDATE ON oidc_identities
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
