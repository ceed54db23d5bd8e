ALTER TABLE embeddings DROP COLUMN content;
