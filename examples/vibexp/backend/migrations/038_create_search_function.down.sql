DROP FUNCTION nearest_embeddings(vector, uuid, integer);
