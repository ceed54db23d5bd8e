ALTER TABLE cards ADD COLUMN position integer;

-- Cards that exist keep the order in which they were made, column by column.
DO $$
DECLARE
    board_column record;
BEGIN
    FOR board_column IN SELECT DISTINCT column_id FROM cards LOOP
        UPDATE cards
        SET position = numbered.position
        FROM (
            SELECT id, row_number() OVER (ORDER BY created_at, id) - 1 AS position
            FROM cards
            WHERE column_id = board_column.column_id
        ) AS numbered
        WHERE cards.id = numbered.id;
    END LOOP;
END
$$;

ALTER TABLE cards
    ALTER COLUMN position SET NOT NULL,
    ADD CONSTRAINT cards_position_not_negative CHECK (position >= 0);

CREATE INDEX cards_column_id_position_idx ON cards (column_id, position);
DROP INDEX cards_column_id_idx;
