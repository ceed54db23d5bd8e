CREATE FUNCTION f(begin atomic) RETURNS begin LANGUAGE sql AS 'begin atomic; end'
