DROP TABLE embeddings;
DROP TYPE embedded_kind;

DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_extension
        WHERE extname = 'vector' AND pg_has_role(extowner, 'USAGE')
    ) THEN
        DROP EXTENSION vector;
    END IF;
END
$$;
