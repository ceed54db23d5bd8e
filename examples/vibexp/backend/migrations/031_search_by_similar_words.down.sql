DROP INDEX memories_content_trgm_idx;
DROP INDEX artifacts_title_trgm_idx;
DROP INDEX prompts_title_trgm_idx;

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
