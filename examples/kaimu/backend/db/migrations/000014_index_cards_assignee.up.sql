-- Alone in its file: PostgreSQL does not build an index concurrently inside a transaction, and several
-- statements sent together are one.
CREATE INDEX CONCURRENTLY cards_assignee_id_idx ON cards (assignee_id, due_on);
