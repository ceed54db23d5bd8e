DO $x$ BEGIN PERFORM '$y$;'; END $x$
