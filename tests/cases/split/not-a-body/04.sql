ALTER FUNCTION begin(atomic) SET x TO begin
