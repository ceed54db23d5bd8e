-- Drop the extension only where this migration made it. Where an administrator (or `howdah setup`) made it,
-- it was there before the first migration and belongs to somebody else.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_extension
        WHERE extname = 'uuid-ossp' AND pg_has_role(extowner, 'USAGE')
    ) THEN
        DROP EXTENSION "uuid-ossp";
    END IF;
END
$$;
