DROP INDEX cards_search_idx;
ALTER TABLE cards DROP COLUMN search;
