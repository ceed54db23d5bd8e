"""Open sessions and tell why one could not be opened. The only layer below `migrate` that loads psycopg."""
