"""Roles, databases, owners, grants and extensions: compare what is wanted with what is there, and do the rest."""
