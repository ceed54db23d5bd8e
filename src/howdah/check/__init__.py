"""Is it safe to merge, and to deploy: files, history, and what a rehearsal shows."""
