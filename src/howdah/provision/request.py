"""What to set up, and as whom."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import DatabaseSettings
from howdah.provision.passwords import known_passwords
from howdah.provision.steps import Policy


@dataclass(frozen=True)
class SetupRequest:
    """One database to set up.

    Attributes:
        settings: what the project says about the database.
        address: how the application reaches it: its role, its password, its database.
        admin: an administrator's address; None: act as the application's own role.
        environ: where the variables that `password_env` names are.
        set_passwords: set the passwords of roles that are there where they cannot be compared.
        confirm: the database's name, where it is protected and something is to be taken away.
    """

    settings: DatabaseSettings
    address: DatabaseConfig
    admin: DatabaseConfig | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    set_passwords: bool = False
    confirm: str | None = None

    @property
    def database(self) -> str:
        return self.address.database or self.settings.name

    @cached_property
    def passwords(self) -> dict[str, Secret]:
        """Role -> password, where known."""
        return known_passwords(self.settings.setup, self.address, self.environ)

    def policy(self, *, own_login: bool = False) -> Policy:
        """How to plan it; `own_login`: the session that acts is the application's own."""
        return Policy(
            passwords=self.passwords,
            set_passwords=self.set_passwords,
            guarded=self.settings.protected and self.confirm != self.database,
            own_login=own_login,
        )
