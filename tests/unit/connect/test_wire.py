"""The first messages are read from any bytes without harm."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from howdah.connect.wire import (
    ClosedError,
    Message,
    NotPostgresError,
    authentication_method,
    error_fields,
    read_message,
    startup_message,
)


def test_a_startup_message_names_user_and_database() -> None:
    message = startup_message({"user": "app", "database": "kaimu"})
    assert message[:8] == len(message).to_bytes(4, "big") + b"\x00\x03\x00\x00"
    assert message[8:] == b"user\0app\0database\0kaimu\0\0"


def test_fields_of_an_error_are_read() -> None:
    body = b'SFATAL\0VFATAL\0C3D000\0Mdatabase "x" does not exist\0RInitPostgres\0\0'
    fields = error_fields(body)
    assert (fields["C"], fields["R"], fields["M"]) == ("3D000", "InitPostgres", 'database "x" does not exist')


@pytest.mark.parametrize(
    ("number", "name"), [(0, "trust"), (3, "password"), (5, "md5"), (10, "scram-sha-256")]
)
def test_methods_have_the_names_of_pg_hba(number: int, name: str) -> None:
    assert authentication_method(number.to_bytes(4, "big")) == name


@given(st.binary(max_size=200))
@example(b"HTTP/1.1 400 Bad Request\r\n\r\n")
@example(b"E\xff\xff\xff\xff")
@example(b"R\x00\x00\x00\x04")
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    stream = io.BytesIO(data)
    try:
        while True:
            message = read_message(stream.read)
            assert isinstance(message, Message)
            error_fields(message.body)
            authentication_method(message.body)
    except (ClosedError, NotPostgresError):
        pass
