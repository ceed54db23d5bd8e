DROP INDEX CONCURRENTLY IF EXISTS embeddings_embedding_idx;
