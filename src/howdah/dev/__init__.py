"""The project's own local server: start it, set it up, migrate it, forget it."""

from __future__ import annotations

from howdah.dev.server import server_address

__all__ = ["server_address"]
