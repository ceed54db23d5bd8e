CREATE INDEX channels_created_by_idx ON channels (created_by);
CREATE INDEX communities_owner_id_idx ON communities (owner_id);
CREATE INDEX communities_discoverable_idx ON communities (created_at DESC) WHERE is_discoverable;
CREATE INDEX pinned_messages_message_id_idx ON pinned_messages (message_id);
CREATE INDEX blocked_users_blocked_id_idx ON blocked_users (blocked_id);
