"""libpq's verbose texts become facts."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.connect.failures import Failure, Step, parse_failures


def test_a_refusal_of_the_server_has_its_code_and_routine() -> None:
    text = (
        'connection to server at "db.example.test" (10.1.2.3), port 5432 failed: FATAL:  42501: permission denied for'
        ' database "x"\nDETAIL:  User does not have CONNECT privilege.\nHINT:  Ask.\nLOCATION:  CheckMyDatabase,'
        " postinit.c:361"
    )
    assert parse_failures(text, step=Step.LOGIN) == [
        Failure(
            Step.LOGIN,
            'permission denied for database "x"',
            "db.example.test:5432",
            sqlstate="42501",
            routine="CheckMyDatabase",
            detail="User does not have CONNECT privilege.",
            hint="Ask.",
        )
    ]


def test_a_translated_refusal_is_read_too() -> None:
    text = (
        'connection to server on socket "/run/.s.PGSQL.5432" failed: FATAL:  28P01: Passwort für »u« falsch\n'
    )
    (found,) = parse_failures(text, step=Step.LOGIN)
    assert (found.sqlstate, found.routine, found.place) == ("28P01", None, "/run/.s.PGSQL.5432")


def test_each_address_is_a_failure_of_its_own() -> None:
    text = (
        'connection to server at "::1", port 1 failed: Connection refused\n\tIs the server running on that host'
        ' and accepting TCP/IP connections?\nconnection to server at "127.0.0.1", port 2 failed: FATAL:  3D000:'
        ' database "x" does not exist\nLOCATION:  InitPostgres, postinit.c:948'
    )
    first, second = parse_failures(text, step=Step.LOGIN)
    assert (first.place, first.errno) == ("::1:1", errno.ECONNREFUSED)
    assert (second.place, second.sqlstate) == ("127.0.0.1:2", "3D000")


def test_the_caller_knows_the_place_better() -> None:
    text = 'connection to server at "10.0.0.1", port 1 failed: Connection refused'
    assert parse_failures(text, step=Step.CONNECT, place="db:1")[0].place == "db:1"


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.ENOENT, errno.EACCES, errno.EHOSTUNREACH])
def test_errors_of_the_system_have_their_number(number: int) -> None:
    text = f'connection to server at "h", port 1 failed: {os.strerror(number)}'
    assert parse_failures(text, step=Step.CONNECT)[0].errno == number


@given(st.text(), st.text())
def test_any_text_gives_at_least_one_failure_with_a_message(before: str, after: str) -> None:
    text = f'{before}connection to server at "h", port 1 failed: {after}'
    found = parse_failures(text, step=Step.LOGIN)
    assert found
    assert all(each.message for each in found)
