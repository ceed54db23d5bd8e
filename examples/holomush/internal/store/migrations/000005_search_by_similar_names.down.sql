DROP INDEX characters_name_trgm_idx;
DROP INDEX locations_name_trgm_idx;

-- Drop the extension only where this migration made it. Where an administrator (or `howdah setup`) made it,
-- it was there before the first migration and belongs to somebody else.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_extension
        WHERE extname = 'pg_trgm' AND pg_has_role(extowner, 'USAGE')
    ) THEN
        DROP EXTENSION pg_trgm;
    END IF;
END
$$;
