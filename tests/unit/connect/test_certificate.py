"""A certificate is read as the cryptography package reads it, and names are compared as libpq compares them."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from fix_tls import Authority
from howdah.connect.certificate import Certificate, read_certificate

AUTHORITY = Authority.make("howdah test authority")
CERTIFICATE, _ = AUTHORITY.issue("db.example.test", ["db.example.test", "*.example.test", "10.1.2.3", "::1"])
DER = CERTIFICATE.public_bytes(Encoding.DER)


def test_everything_that_explains_a_refusal_is_read() -> None:
    assert read_certificate(DER) == Certificate(
        subject="db.example.test",
        issuer="howdah test authority",
        names=("db.example.test", "*.example.test", "10.1.2.3", "::1"),
        starts=CERTIFICATE.not_valid_before_utc,
        expires=CERTIFICATE.not_valid_after_utc,
    )


def test_a_far_date_is_read() -> None:
    far, _ = AUTHORITY.issue("x", days=365 * 200)
    found = read_certificate(far.public_bytes(Encoding.DER))
    assert found is not None
    assert found.expires == far.not_valid_after_utc
    assert found.names == ()


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("db.example.test", True),
        ("DB.Example.Test", True),
        ("replica.example.test", True),
        ("a.b.example.test", False),
        ("example.test", False),
        ("10.1.2.3", True),
        ("10.1.2.4", False),
        ("db.example.test.", True),
    ],
)
def test_names_are_compared_as_libpq_does(host: str, fits: bool) -> None:
    found = read_certificate(DER)
    assert found is not None
    assert found.is_for(host) == fits


def test_the_common_name_counts_where_there_are_no_other_names() -> None:
    now = dt.datetime.now(dt.UTC)
    assert Certificate("db", "ca", (), now, now).is_for("db")
    assert not Certificate("db", "ca", ("other",), now, now).is_for("db")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_certificate_or_none(data: bytes) -> None:
    assert read_certificate(data) is None or data


@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_a_damaged_certificate_is_read_or_refused(position: int, value: int) -> None:
    damaged = DER[:position] + bytes([value]) + DER[position + 1 :]
    found = read_certificate(damaged)
    assert found is None or isinstance(found.subject, str)
