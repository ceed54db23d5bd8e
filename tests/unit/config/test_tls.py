from __future__ import annotations

from pathlib import Path

import pytest

from howdah.config.database import DatabaseConfig
from howdah.config.tls import SSLMODES, check_tls, read_sslmode
from howdah.errors import ConfigError
from howdah.findings import Severity

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def codes(tmp_path: Path, *, host: str = "db.example.test", **options: str) -> list[str]:
    return [finding.code for finding in check_tls(DatabaseConfig(host=host, options=options), home=tmp_path)]


@pytest.mark.parametrize("mode", SSLMODES)
def test_every_sslmode_of_libpq_is_itself(mode: str) -> None:
    assert read_sslmode(mode, origin="DBSSL") == mode
    assert read_sslmode(f" {mode.upper().replace('-', '_')} ", origin="DBSSL") == mode


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("true", "require"),
        ("True", "require"),
        ("on", "require"),
        ("1", "require"),
        ("false", "disable"),
        ("off", "disable"),
        ("0", "disable"),
        ("no-verify", "require"),
        ("no", "disable"),
    ],
)
def test_what_applications_write_is_understood(text: str, mode: str) -> None:
    assert read_sslmode(text, origin="DBSSL") == mode


def test_another_word_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        read_sslmode("hunter2", origin="DBSSL")
    assert str(caught.value) == "DBSSL: this is not an sslmode"
    with pytest.raises(ConfigError) as caught:
        read_sslmode("verify_ful", origin="DBSSL")
    assert caught.value.fix == "Did you mean 'verify-full'?"


def test_verification_needs_a_root_certificate(tmp_path: Path) -> None:
    assert codes(tmp_path, sslmode="verify-full") == ["no-root-certificate"]
    assert codes(tmp_path, sslmode="require") == []
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql/root.crt").write_text(PEM)
    assert codes(tmp_path, sslmode="verify-full") == []


def test_the_systems_authorities_alone_mean_verify_full(tmp_path: Path) -> None:
    assert codes(tmp_path, sslrootcert="system") == []
    assert codes(tmp_path, sslrootcert="system", sslmode="require") == ["weak-sslmode"]


def test_a_root_certificate_must_exist_and_be_text(tmp_path: Path) -> None:
    root = tmp_path / "ca.crt"
    assert codes(tmp_path, sslmode="verify-ca", sslrootcert=str(root)) == ["no-such-file"]
    root.write_bytes(b"\x30\x82\x01\x0a")
    assert codes(tmp_path, sslmode="verify-ca", sslrootcert=str(root)) == ["not-pem"]
    root.write_text(PEM)
    assert codes(tmp_path, sslmode="verify-ca", sslrootcert=str(root)) == []


def test_the_systems_authorities_need_the_host_name_checked(tmp_path: Path) -> None:
    assert codes(tmp_path, sslmode="require", sslrootcert="system") == ["weak-sslmode"]
    assert codes(tmp_path, sslmode="verify-full", sslrootcert="system") == []


def test_a_client_certificate_needs_a_private_key_that_others_cannot_read(tmp_path: Path) -> None:
    certificate, key = tmp_path / "app.crt", tmp_path / "app.key"
    certificate.write_text(PEM)
    options = {"sslmode": "require", "sslcert": str(certificate), "sslkey": str(key)}
    assert codes(tmp_path, **options) == ["no-such-file"]
    key.write_text("-----BEGIN PRIVATE KEY-----\n")
    key.chmod(0o644)
    assert codes(tmp_path, **options) == ["open-private-key"]
    key.chmod(0o600)
    assert codes(tmp_path, **options) == []
    assert codes(tmp_path, **{**options, "sslkey": "pkcs11:token=x"}) == []


def test_a_missing_revocation_list_is_found(tmp_path: Path) -> None:
    assert codes(tmp_path, sslmode="require", sslcrl="/no/such", sslcrldir="/no/dir") == ["no-such-file"] * 2


def test_a_socket_is_never_encrypted(tmp_path: Path) -> None:
    findings = check_tls(
        DatabaseConfig(host="/var/run/postgresql", options={"sslmode": "require"}), home=tmp_path
    )
    assert [(finding.code, finding.severity) for finding in findings] == [("tls-on-socket", Severity.INFO)]
    assert codes(tmp_path, host="/var/run/postgresql", sslmode="prefer") == []


def test_nothing_is_said_where_tls_is_off(tmp_path: Path) -> None:
    assert codes(tmp_path, sslmode="disable", sslrootcert="/no/such") == []
