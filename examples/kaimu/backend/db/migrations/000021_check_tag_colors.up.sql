-- NOT VALID first: adding the rule locks the table for a moment only, the rows are checked afterwards.
ALTER TABLE tags ADD CONSTRAINT tags_color_is_hex CHECK (color ~ '^#[0-9a-f]{6}$') NOT VALID;
ALTER TABLE tags VALIDATE CONSTRAINT tags_color_is_hex;
