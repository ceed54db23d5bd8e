"""sslmode as applications write it, and what can be said about certificates before connecting."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from howdah.config.database import DatabaseConfig
from howdah.config.keywords import near_name
from howdah.errors import ConfigError, Where
from howdah.findings import Finding, Severity

SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
VERIFYING = ("verify-ca", "verify-full")

# What applications write in variables like DBSSL, besides libpq's own words.
_OTHER_WORDS = {
    **dict.fromkeys(("true", "on", "yes", "1", "t", "y", "required", "enable", "enabled"), "require"),
    **dict.fromkeys(("false", "off", "no", "0", "f", "n", "none", "disabled", "never"), "disable"),
    **dict.fromkeys(("no-verify", "skip-verify"), "require"),
    "preferred": "prefer",
    "verify-identity": "verify-full",
    "strict": "verify-full",
}


def read_sslmode(text: str, *, origin: str) -> str:
    """The sslmode for what an application calls it: `true` and `on` are `require`, `off` is `disable`.

    Raises:
        ConfigError: the word means nothing; `origin` names the variable or option it came from.
    """
    word = text.strip().lower().replace("_", "-")
    if word in SSLMODES:
        return word
    if word in _OTHER_WORDS:
        return _OTHER_WORDS[word]
    near = near_name(word, SSLMODES)
    raise ConfigError(
        f"{origin}: this is not an sslmode",
        code="bad-sslmode",
        fix=f"Did you mean '{near}'?" if near else f"Use one of {', '.join(SSLMODES)}, or true or false.",
    )


def effective_sslmode(options: Mapping[str, str]) -> str:
    """The sslmode that libpq takes: what the options say, else its default.

    With sslrootcert=system that is verify-full (fe-connect.c, conninfo_add_defaults).
    """
    default = "verify-full" if options.get("sslrootcert") == "system" else "prefer"
    return options.get("sslmode") or default


def check_tls(config: DatabaseConfig, *, home: Path | None = None) -> tuple[Finding, ...]:
    """What is wrong with the TLS settings, as far as files and rules tell without connecting."""
    folder = (home or Path.home()) / ".postgresql"
    mode = effective_sslmode(config.options)
    if config.host and all(host.startswith(("/", "@")) for host in config.host.split(",")):
        return _socket_findings(mode)
    if mode == "disable":
        return ()
    return (
        *_root_findings(config, mode, folder),
        *_crl_findings(config),
        *_client_findings(config, folder),
    )


def _socket_findings(mode: str) -> tuple[Finding, ...]:
    if mode not in ("require", *VERIFYING):
        return ()
    return (
        Finding(
            "tls-on-socket",
            f"sslmode={mode} has no effect on a Unix socket",
            Severity.INFO,
            why="libpq never encrypts a connection through a socket file; it does not leave the machine.",
        ),
    )


def _root_findings(config: DatabaseConfig, mode: str, folder: Path) -> list[Finding]:
    root = config.options.get("sslrootcert", "")
    if root == "system":
        if mode == "verify-full":
            return []
        return [
            Finding(
                "weak-sslmode",
                f"sslrootcert=system is refused with sslmode={mode}",
                why="With every public authority trusted, only the host name tells servers apart.",
                fix="Use sslmode=verify-full.",
            )
        ]
    if root:
        return _certificate_findings("sslrootcert", Path(root))
    if mode in VERIFYING and not (folder / "root.crt").exists():
        return [
            Finding(
                "no-root-certificate",
                f"sslmode={mode} needs the certificate of an authority, and there is none",
                where=Where(str(folder / "root.crt")),
                why="libpq looks at this file when sslrootcert is not set.",
                fix="Set sslrootcert to the provider's CA file, or use sslrootcert=system and"
                " sslmode=verify-full for a certificate of a public authority.",
            )
        ]
    return []


def _crl_findings(config: DatabaseConfig) -> list[Finding]:
    missing = (
        (keyword, Path(config.options[keyword]))
        for keyword in ("sslcrl", "sslcrldir")
        if config.options.get(keyword) and not Path(config.options[keyword]).exists()
    )
    return [_no_such_file(keyword, path) for keyword, path in missing]


def _client_findings(config: DatabaseConfig, folder: Path) -> list[Finding]:
    named = config.options.get("sslcert", "")
    certificate = Path(named) if named else folder / "postgresql.crt"
    if not named and not certificate.exists():
        key = config.options.get("sslkey", "")
        return _key_findings(Path(key)) if key and not key.startswith("pkcs11:") else []
    found = _certificate_findings("sslcert", certificate)
    key = config.options.get("sslkey", "") or str(folder / "postgresql.key")
    if key.startswith("pkcs11:"):  # the key lives in a hardware token
        return found
    return [*found, *_key_findings(Path(key))]


def _certificate_findings(keyword: str, path: Path) -> list[Finding]:
    if not path.exists():
        return [_no_such_file(keyword, path)]
    try:
        content = path.read_bytes()
    except OSError as error:
        return [_unreadable(keyword, path, error)]
    if b"-----BEGIN" in content:
        return []
    return [
        Finding(
            "not-pem",
            f"{keyword} is not a PEM file",
            where=Where(str(path)),
            why="libpq reads certificates as text between -----BEGIN and -----END lines.",
            fix=f"Convert it: openssl x509 -inform der -in {path} -out {path.stem}.pem",
        )
    ]


def _key_findings(path: Path) -> list[Finding]:
    if not path.exists():
        return [_no_such_file("sslkey", path)]
    try:
        facts = path.stat()
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        return [_unreadable("sslkey", path, error)]
    # The same rule as libpq's initialize_SSL: only a key that belongs to root may be readable by its group.
    forbidden = (
        stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO if facts.st_uid == 0 else stat.S_IRWXG | stat.S_IRWXO
    )
    if not facts.st_mode & forbidden:
        return []
    return [
        Finding(
            "open-private-key",
            "others may read the private key, and libpq refuses it",
            where=Where(str(path)),
            fix="Take the permissions of group and others away.",
            next=(f"chmod 600 {path}",),
        )
    ]


def _no_such_file(keyword: str, path: Path) -> Finding:
    relative = "" if path.is_absolute() else f" It is looked up in {os.getcwd()}."  # noqa: PTH109 - text for people
    return Finding(
        "no-such-file",
        f"{keyword} names a file that does not exist",
        where=Where(str(path)),
        fix=f"Correct {keyword}, or put the file there.{relative}",
    )


def _unreadable(keyword: str, path: Path, error: OSError) -> Finding:
    return Finding(
        "unreadable-file",
        f"{keyword} cannot be read: {error.strerror}",
        where=Where(str(path)),
        fix="Give the user that runs howdah the right to read it.",
    )
