DROP TABLE board_columns;
