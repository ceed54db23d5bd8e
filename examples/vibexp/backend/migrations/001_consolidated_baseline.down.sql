DROP TABLE team_members;
DROP TYPE team_role;
DROP TABLE teams;
DROP TABLE users;
DROP FUNCTION set_updated_at();

-- Drop the extensions only where this migration made them, not those an administrator (or `howdah setup`) made.
DO $$
DECLARE
    extension name;
BEGIN
    FOR extension IN
        SELECT extname FROM pg_extension
        WHERE extname IN ('uuid-ossp', 'pgcrypto') AND pg_has_role(extowner, 'USAGE')
    LOOP
        EXECUTE format('DROP EXTENSION %I', extension);
    END LOOP;
END
$$;
