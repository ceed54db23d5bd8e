"""Where a database is and what a project says about it: howdah.toml, environment, URLs. Never connects."""
