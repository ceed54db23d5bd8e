-- Concurrently, because a build over many vectors takes minutes and the backend goes on answering.
CREATE INDEX CONCURRENTLY embeddings_embedding_idx
    ON embeddings USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 64);
