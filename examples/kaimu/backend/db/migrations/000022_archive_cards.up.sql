ALTER TABLE cards ADD COLUMN archived_at timestamptz;

CREATE INDEX cards_archived_at_idx ON cards (archived_at) WHERE archived_at IS NOT NULL;

CREATE OR REPLACE VIEW board_overview AS
SELECT
    boards.id AS board_id,
    boards.project_id,
    boards.name,
    count(DISTINCT board_columns.id) AS columns,
    count(cards.id) AS cards,
    count(cards.id) FILTER (WHERE board_columns.is_done) AS cards_done,
    count(cards.id) FILTER (WHERE cards.due_on < CURRENT_DATE AND NOT board_columns.is_done) AS cards_overdue
FROM boards
LEFT JOIN board_columns ON board_columns.board_id = boards.id
LEFT JOIN cards ON cards.column_id = board_columns.id AND cards.archived_at IS NULL
GROUP BY boards.id;
