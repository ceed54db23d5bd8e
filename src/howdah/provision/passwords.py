"""Whether a stored password is a known one; and the known ones of a project's roles."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import stringprep
import unicodedata
from collections.abc import Mapping

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import SetupSettings

_SCRAM = re.compile(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)")


def known_passwords(
    settings: SetupSettings, address: DatabaseConfig, environ: Mapping[str, str]
) -> dict[str, Secret]:
    """Role -> password: from each role's `password_env`; the application's own is the one of its address."""
    named = {role.name: environ.get(role.password_env or "", "") for role in settings.roles}
    known = {name: Secret(text) for name, text in named.items() if text}
    if address.password and address.user:
        known[address.user] = address.password
    return known


def matches(verifier: Secret, password: Secret, *, role: str) -> bool:
    """Whether the server's stored verifier (SCRAM-SHA-256 or md5) was made from this password."""
    stored, text = verifier.reveal(), password.reveal()
    if stored.startswith("md5"):
        md5 = hashlib.md5((text + role).encode(), usedforsecurity=False).hexdigest()
        return hmac.compare_digest(stored, f"md5{md5}")
    found = _SCRAM.fullmatch(stored)
    if not found:
        return False
    # RFC 5803: StoredKey = H(HMAC(SaltedPassword, "Client Key"))
    salt = base64.b64decode(found[2])
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(text), salt, int(found[1]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), base64.b64decode(found[3]))


def _prepared(password: str) -> bytes:
    """The password as the server hashes it: SASLprep (RFC 4013), or as it is where that does not allow it."""
    mapped = "".join(
        " " if stringprep.in_table_c12(letter) else letter
        for letter in password
        if not stringprep.in_table_b1(letter)
    )
    text = unicodedata.normalize("NFKC", mapped)
    if not text or any(_is_prohibited(letter) for letter in text) or not _is_one_direction(text):
        return password.encode()
    return text.encode()


def _is_prohibited(letter: str) -> bool:
    return (
        stringprep.in_table_a1(letter)
        or stringprep.in_table_c12(letter)
        or stringprep.in_table_c21_c22(letter)
        or stringprep.in_table_c3(letter)
        or stringprep.in_table_c4(letter)
        or stringprep.in_table_c5(letter)
        or stringprep.in_table_c6(letter)
        or stringprep.in_table_c7(letter)
        or stringprep.in_table_c8(letter)
        or stringprep.in_table_c9(letter)
    )


def _is_one_direction(text: str) -> bool:
    if not any(map(stringprep.in_table_d1, text)):
        return True
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return ends and not any(map(stringprep.in_table_d2, text))
