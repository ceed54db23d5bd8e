"""One explanation for all attempts: the one that got furthest, in words about this database, without secrets."""

from __future__ import annotations

import errno
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.config.database import DatabaseConfig, Secret
from howdah.connect.causes import CAUSES, find_cause
from howdah.connect.diagnosis import diagnose, shown_target
from howdah.connect.failures import Failure, Step

CONFIG = DatabaseConfig("db.example.test", "5432", "kaimu", "app", Secret("s3cret"))


def refused(place: str = "db.example.test:5432") -> Failure:
    return Failure(Step.CONNECT, "Connection refused", place, errno=errno.ECONNREFUSED)


def test_the_attempt_that_got_furthest_speaks() -> None:
    wrong = Failure(
        Step.LOGIN, "password authentication failed", "a:1", sqlstate="28P01", routine="auth_failed"
    )
    found = diagnose(CONFIG, [refused(), wrong])
    assert found.cause.code == "wrong-password"
    assert found.sqlstate == "28P01"
    assert not found.cause.transient


def test_a_plain_retry_that_was_not_wanted_does_not_hide_the_wrong_password() -> None:
    no_line = Failure(
        Step.LOGIN, "no pg_hba.conf entry", "a:1", sqlstate="28000", routine="ClientAuthentication"
    )
    wrong = Failure(
        Step.LOGIN, "password authentication failed", "a:1", sqlstate="28P01", routine="auth_failed"
    )
    assert diagnose(CONFIG, [no_line, wrong]).cause.code == "wrong-password"


def test_equal_words_are_said_once() -> None:
    found = diagnose(CONFIG, [refused(), refused()])
    assert found.message == (
        "cannot connect to kaimu on db.example.test:5432 as app: network connection failed: Connection refused"
    )


@pytest.mark.parametrize(
    ("number", "code", "transient"),
    [
        (socket.EAI_NONAME, "host-not-found", False),
        (socket.EAI_AGAIN, "resolver-unavailable", True),
        (socket.EAI_FAIL, "resolver-unavailable", True),
    ],
)
def test_a_name_that_nobody_knows_is_told_from_a_resolver_that_is_down(
    number: int, code: str, transient: bool
) -> None:
    cause = find_cause(Failure(Step.RESOLVE, "resolving failed", "db:5432", errno=number))
    assert (cause.code, cause.transient) == (code, transient)


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH])
def test_a_missing_route_may_come_back(number: int) -> None:
    cause = find_cause(Failure(Step.CONNECT, "No route to host", "db:5432", errno=number))
    assert (cause.code, cause.transient) == ("host-unreachable", True)


def test_only_a_server_on_this_machine_is_to_be_started_with_dev_up() -> None:
    assert diagnose(CONFIG, [refused("localhost:5432")]).next == ("howdah dev up",)
    assert diagnose(CONFIG, [refused()]).next == ()


@pytest.mark.parametrize(
    ("sqlstate", "transient"),
    [
        *((code, True) for code in ("53300", "57P01", "57P02", "57P03", "08006")),
        *((code, False) for code in ("28P01", "28000", "3D000", "42501", "42704", "0A000")),
    ],
)
def test_what_is_waited_for(sqlstate: str, transient: bool) -> None:
    assert find_cause(Failure(Step.LOGIN, "?", sqlstate=sqlstate)).transient == transient


@pytest.mark.parametrize("host", ["rd@db.example.test", "a@b@db.example.test", "x,rd@db.example.test"])
def test_the_end_of_a_password_in_a_host_is_masked(host: str) -> None:
    config = DatabaseConfig(host, "5432", "kaimu", "app")
    assert "rd@" not in shown_target(config)
    assert "***@db.example.test" in shown_target(config)


def test_an_abstract_socket_is_not_a_password() -> None:
    assert shown_target(DatabaseConfig("@howdah", "5432", "kaimu")) == "kaimu on @howdah:5432"


def test_every_cause_says_what_to_do_and_can_be_filled_in() -> None:
    for cause in CAUSES:
        words = dict.fromkeys(("place", "host", "user", "database"), "x")
        for text in (cause.why, cause.fix):
            filled = text.format(**words)
            assert filled.endswith("."), filled


_WORD = st.text(max_size=60)


@given(
    st.sampled_from(Step),
    _WORD,
    st.none() | st.text("0123456789ABCDEFPXY", min_size=5, max_size=5),
    st.none() | _WORD,
    st.none() | st.integers(-20, 200),
    st.sampled_from(["", "db:5432", "[::1]:5432", "/tmp/.s.PGSQL.1", "***@db:1"]),
)
def test_any_failure_is_explained(
    step: Step, message: str, sqlstate: str | None, routine: str | None, number: int | None, place: str
) -> None:
    failure = Failure(step, message or "?", place, sqlstate=sqlstate, routine=routine, errno=number)
    found = diagnose(CONFIG, [failure])
    assert found.cause in CAUSES
    assert found.message.startswith("cannot connect to kaimu on db.example.test:5432 as app: ")
    assert "{" not in found.fix
