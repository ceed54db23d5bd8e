CREATE FUNCTION add(a int, b int) RETURNS int RETURN a + b
