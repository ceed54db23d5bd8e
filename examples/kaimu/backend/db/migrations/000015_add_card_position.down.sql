CREATE INDEX cards_column_id_idx ON cards (column_id);
ALTER TABLE cards DROP COLUMN position;
