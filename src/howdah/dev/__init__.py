"""The project's own local server: start it, set it up, migrate it, forget it."""

from __future__ import annotations

from howdah.dev.address import resolve_here

__all__ = ["resolve_here"]
