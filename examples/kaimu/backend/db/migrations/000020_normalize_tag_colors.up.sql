-- Clients stored colours as '#ABC', 'aabbcc' and '#AABBCC'; from here on they are '#aabbcc'.
UPDATE tags
SET color = '#' || lower(ltrim(color, '#'))
WHERE color <> '#' || lower(ltrim(color, '#'));

UPDATE tags
SET color = regexp_replace(color, '^#([0-9a-f])([0-9a-f])([0-9a-f])$', '#\1\1\2\2\3\3')
WHERE color ~ '^#[0-9a-f]{3}$';

UPDATE tags SET color = '#6b7280' WHERE color !~ '^#[0-9a-f]{6}$';
