"""SQL stand-ins for extensions that the `server` extra's PostgreSQL lacks: for the local server only.

PostgreSQL 18 and newer find them when `extension_control_path` is `$system:` and this directory; a real
extension of the same name comes first. docs/explanation/stand-ins.md says what differs from the real ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True)
class Standin:
    """An extension re-made in SQL.

    Attributes:
        name: the extension's name, as in CREATE EXTENSION.
        covered: what it does as the real extension does, in words.
        missing_functions: functions that are there, but refuse with SQLSTATE 0A000 when called.
    """

    name: str
    covered: str
    missing_functions: tuple[str, ...] = ()

    @property
    def announcement(self) -> str:
        """The line that people see when a server uses it."""
        line = f"{self.name}: SQL stand-in, development only ({self.covered}"
        return line + (", nothing else)" if self.missing_functions else ")")


STANDINS: Mapping[str, Standin] = MappingProxyType(
    {
        standin.name: standin
        for standin in (
            Standin("uuid-ossp", "all ten functions"),
            Standin(
                "pgcrypto",
                "digest, hmac, gen_random_bytes and gen_random_uuid",
                missing_functions=(
                    "armor",
                    "crypt",
                    "dearmor",
                    "decrypt",
                    "decrypt_iv",
                    "encrypt",
                    "encrypt_iv",
                    "gen_salt",
                    "pgp_armor_headers",
                    "pgp_key_id",
                    "pgp_pub_decrypt",
                    "pgp_pub_decrypt_bytea",
                    "pgp_pub_encrypt",
                    "pgp_pub_encrypt_bytea",
                    "pgp_sym_decrypt",
                    "pgp_sym_decrypt_bytea",
                    "pgp_sym_encrypt",
                    "pgp_sym_encrypt_bytea",
                ),
            ),
        )
    }
)


def standins_directory() -> Path:
    """The directory to name in `extension_control_path`; the server's user must be able to read it."""
    return Path(__file__).parent
