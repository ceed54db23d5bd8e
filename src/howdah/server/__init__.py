"""A PostgreSQL server of our own: find its programs, start it, stop it, clean up after it."""
