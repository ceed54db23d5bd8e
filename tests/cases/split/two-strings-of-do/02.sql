DO 'BEGIN ''a;''; END' LANGUAGE plpgsql
