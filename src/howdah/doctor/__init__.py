"""Examine a connection and a setup, step by step, and say what to do next."""
