ALTER TABLE tags DROP CONSTRAINT tags_color_is_hex;
