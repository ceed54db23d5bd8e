-- Alone in its file: PostgreSQL does not build an index concurrently inside a transaction, and several
-- statements sent together are one.
CREATE UNIQUE INDEX CONCURRENTLY characters_name_key ON characters (lower(name));
