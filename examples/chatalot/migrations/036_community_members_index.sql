-- no-transaction
-- Alone in its file: sqlx sends a file as one message, and several statements in one message are a transaction.
CREATE INDEX CONCURRENTLY community_members_user_id_idx ON community_members (user_id);
