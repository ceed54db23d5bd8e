"""Migrations: read a tool's files and history, plan purely, apply under that tool's lock."""
