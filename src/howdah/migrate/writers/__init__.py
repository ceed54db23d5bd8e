"""Write migrations in the layout of a tool: one writer a target."""
