ALTER TABLE messages ADD COLUMN thread_id uuid REFERENCES messages (id) ON DELETE CASCADE;
ALTER TABLE messages ADD COLUMN reply_count integer NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN last_reply_at timestamptz;

CREATE INDEX messages_thread_id_created_at_idx ON messages (thread_id, created_at) WHERE thread_id IS NOT NULL;

CREATE FUNCTION count_reply() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE messages SET reply_count = reply_count + 1, last_reply_at = NEW.created_at WHERE id = NEW.thread_id;
    RETURN NEW;
END
$$;

CREATE TRIGGER count_reply AFTER INSERT ON messages
FOR EACH ROW WHEN (NEW.thread_id IS NOT NULL) EXECUTE FUNCTION count_reply();
