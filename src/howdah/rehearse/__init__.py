"""Run migrations on a server that is thrown away, and tell what they built."""
