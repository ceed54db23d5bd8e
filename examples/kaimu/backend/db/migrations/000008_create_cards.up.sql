CREATE TYPE card_priority AS ENUM ('none', 'low', 'medium', 'high', 'urgent');

CREATE TABLE cards (
    id          uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    column_id   uuid NOT NULL REFERENCES board_columns (id) ON DELETE CASCADE,
    title       text NOT NULL,
    description text NOT NULL DEFAULT '',
    priority    card_priority NOT NULL DEFAULT 'none',
    assignee_id uuid REFERENCES users (id) ON DELETE SET NULL,
    created_by  uuid REFERENCES users (id) ON DELETE SET NULL,
    due_on      date,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT cards_title_not_empty CHECK (btrim(title) <> '')
);

CREATE INDEX cards_column_id_idx ON cards (column_id);
CREATE INDEX cards_due_on_idx ON cards (due_on) WHERE due_on IS NOT NULL;
