CREATE FUNCTION nearest_embeddings(wanted vector, in_team uuid, how_many integer DEFAULT 10)
RETURNS TABLE (entity_kind embedded_kind, entity_id uuid, content text, similarity double precision)
LANGUAGE sql STABLE AS $$
    SELECT entity_kind, entity_id, content, 1 - (embedding <=> wanted)
    FROM embeddings
    WHERE team_id = in_team
    ORDER BY embedding <=> wanted
    LIMIT how_many;
$$;

COMMENT ON FUNCTION nearest_embeddings IS 'Cosine similarity, 1 is equal; the width of "wanted" must be the column''s';
