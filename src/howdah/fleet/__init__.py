"""The same operation over all databases of a project."""
