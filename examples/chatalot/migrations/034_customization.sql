ALTER TABLE communities ADD COLUMN banner_url text;
ALTER TABLE communities ADD COLUMN accent_color varchar(7) CHECK (accent_color ~ '^#[0-9a-f]{6}$');
ALTER TABLE communities ADD COLUMN welcome_message varchar(2000);

CREATE TABLE custom_emojis (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    community_id uuid NOT NULL REFERENCES communities (id) ON DELETE CASCADE,
    shortcode    varchar(32) NOT NULL CHECK (shortcode ~ '^[a-z0-9_]+$'),
    storage_path text NOT NULL,
    created_by   uuid REFERENCES users (id) ON DELETE SET NULL,
    UNIQUE (community_id, shortcode)
);
