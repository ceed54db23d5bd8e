DROP VIEW board_overview;
