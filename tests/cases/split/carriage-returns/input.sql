SELECT 1; -- old line end;SELECT 2;
-- c;
SELECT
3;
