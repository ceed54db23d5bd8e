ALTER TABLE embeddings ADD COLUMN content text NOT NULL DEFAULT '';

-- Rows made before keep an empty text only where what they were made from is gone.
UPDATE embeddings
SET content = CASE embeddings.entity_kind
    WHEN 'prompt' THEN coalesce((SELECT body FROM prompts WHERE id = entity_id), '')
    WHEN 'artifact' THEN coalesce((SELECT content FROM artifacts WHERE id = entity_id), '')
    WHEN 'memory' THEN coalesce((SELECT content FROM memories WHERE id = entity_id), '')
END;

ALTER TABLE embeddings ALTER COLUMN content DROP DEFAULT;
