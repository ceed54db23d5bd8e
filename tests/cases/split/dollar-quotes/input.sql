CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();  -- it's a comment; in a body
  RETURN NEW;
END;
$$;
SELECT $a$;$b$;$$;$a$, $é$'$é$, $_1$--$_1$;
DO $x$ BEGIN PERFORM '$y$;'; END $x$;
SELECT a$b$c, x$$ FROM t$1 WHERE b$q$ = $3;
