"""The stand-in for pgcrypto against Python's hashlib and hmac and the real extension."""

from __future__ import annotations

import hashlib
import hmac
import secrets

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from howdah.server.standins import STANDINS

ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)
QUICKLY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def answer(connection: psycopg.Connection, query: str, *parameters: object) -> tuple[object, ...] | None:
    """The only row, or the SQLSTATE and message of the error: what two servers are compared by."""
    try:
        return connection.execute(query.encode(), parameters).fetchone()
    except psycopg.Error as error:
        return (error.sqlstate, error.diag.message_primary)


@QUICKLY
@given(data=st.binary(max_size=300), algorithm=st.sampled_from(ALGORITHMS))
def test_digests_of_bytes_are_those_of_python(
    standins: psycopg.Connection, data: bytes, algorithm: str
) -> None:
    row = answer(standins, "SELECT digest(%s::bytea, %s)", data, algorithm)
    assert row == (hashlib.new(algorithm, data).digest(),)


@QUICKLY
@given(data=TEXTS, key=TEXTS, algorithm=st.sampled_from(ALGORITHMS))
def test_digests_and_hmacs_of_text_are_those_of_its_bytes(
    standins: psycopg.Connection, data: str, key: str, algorithm: str
) -> None:
    row = answer(
        standins, "SELECT digest(%s::text, %s), hmac(%s::text, %s, %s)", data, algorithm, data, key, algorithm
    )
    assert row == (
        hashlib.new(algorithm, data.encode()).digest(),
        hmac.digest(key.encode(), data.encode(), algorithm),
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 127, 128, 129, 400])
def test_hmacs_of_bytes_are_those_of_python_for_every_length_of_key(
    standins: psycopg.Connection, algorithm: str, length: int
) -> None:
    key, data = secrets.token_bytes(length), secrets.token_bytes(length // 2)
    row = answer(standins, "SELECT hmac(%s::bytea, %s::bytea, %s)", data, key, algorithm)
    assert row == (hmac.digest(key, data, algorithm),)


def test_a_megabyte_is_hashed(standins: psycopg.Connection) -> None:
    row = answer(standins, "SELECT digest(repeat('a', 1000000), 'sha1')")
    assert row == (bytes.fromhex("34aa973cd4c4daa4f61eeb2bdbad27316534016f"),)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT digest('a', 'SHA256'), digest('a', 'Sha1'), digest('a', 'sHA512'), digest('a', 'MD5')",
        "SELECT digest('', 'sha1'), hmac('', '', 'md5'), hmac('', '', 'sha512')",
        "SELECT digest(NULL::text, 'sha1'), digest('a', NULL), hmac('a', NULL, 'sha1'), hmac('a', 'k', NULL)",
        "SELECT digest(NULL::bytea, 'no such'), gen_random_bytes(NULL)",
        "SELECT digest('a', 'no such')",
        "SELECT digest('a', 'FOÖ \"x\"')",
        "SELECT digest('a', '')",
        "SELECT digest('a', ' sha1')",
        "SELECT digest('a', repeat('X', 80))",
        "SELECT hmac('a', 'k', 'No Such')",
        "SELECT digest('a'::char(5), 'md5')",
        "SELECT digest('a\\x41\\', 'md5'), digest('\\x41'::bytea, 'md5')",
        "SELECT digest(x, y) FROM (VALUES ('a' COLLATE \"C\", 'md5' COLLATE \"POSIX\")) AS v(x, y)",
        "SELECT digest('a' COLLATE \"C\" || x, 'MD5') FROM (VALUES ('b' COLLATE \"POSIX\")) AS v(x)",
        "SELECT gen_random_bytes(0)",
        "SELECT gen_random_bytes(-1)",
        "SELECT gen_random_bytes(1025)",
        "SELECT length(gen_random_bytes(1024)), length(gen_random_bytes(1))",
        "SELECT count(*) FROM (SELECT digest('a', 'no such') WHERE false) AS none",
    ],
)
def test_an_answer_is_the_real_extensions_answer(
    standins: psycopg.Connection, real: psycopg.Connection, query: str
) -> None:
    assert answer(standins, query) == answer(real, query)


def test_an_unknown_algorithm_gets_a_hint_what_the_standin_knows(standins: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue) as caught:
        standins.execute("SELECT digest('a', 'sha3-256')")
    assert "howdah's SQL stand-in for pgcrypto" in (caught.value.diag.message_hint or "")


@pytest.mark.parametrize("length", [*range(1, 41), 127, 128, 129, 1023, 1024])
def test_random_bytes_are_as_many_as_asked_for(standins: psycopg.Connection, length: int) -> None:
    assert answer(standins, "SELECT length(gen_random_bytes(%s))", length) == (length,)


def test_every_bit_of_random_bytes_is_thrown(standins: psycopg.Connection) -> None:
    rows = standins.execute("SELECT gen_random_bytes(40) FROM generate_series(1, 1500)").fetchall()
    drawn = [int.from_bytes(row[0]) for row in rows]
    ones = [sum((value >> bit) & 1 for value in drawn) for bit in range(320)]
    # 750 give or take 19 (one sigma)
    assert all(620 < count < 880 for count in ones)
    assert len(set(drawn)) == len(drawn)


def test_gen_random_uuid_can_be_called_by_the_extensions_schema(standins: psycopg.Connection) -> None:
    row = answer(standins, "SELECT public.gen_random_uuid(), public.fips_mode()")
    assert row
    assert row[0].version == 4  # type: ignore[attr-defined]
    assert row[1] is False


@pytest.mark.parametrize(
    "call",
    [
        "crypt('secret', 'salt')",
        "gen_salt('bf')",
        "gen_salt('bf', 8)",
        "encrypt('a'::bytea, 'k', 'aes')",
        "decrypt_iv('a'::bytea, 'k', 'iv', 'aes')",
        "pgp_sym_encrypt('a', 'k')",
        "pgp_sym_decrypt_bytea('a', 'k', 'x')",
        "pgp_pub_decrypt('a', 'k', 'p', 'x')",
        "armor('a')",
        "armor('a', ARRAY['k'], ARRAY['v'])",
        "dearmor('a')",
        "pgp_armor_headers('a')",
    ],
)
def test_what_is_missing_says_so_and_what_to_do(standins: psycopg.Connection, call: str) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported) as caught:
        standins.execute(f"SELECT * FROM {call}".encode())
    diagnosis = caught.value.diag
    function = call.partition("(")[0]
    assert diagnosis.message_primary == f"{function}() is not in howdah's SQL stand-in for pgcrypto"
    major = standins.info.server_version // 10000
    assert f"apt-get install postgresql-{major}" in (diagnosis.message_hint or "")
    assert "bindir" in (diagnosis.message_hint or "")


def test_every_function_that_is_missing_refuses_and_no_other(standins: psycopg.Connection) -> None:
    rows = standins.execute(
        "SELECT DISTINCT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace"
        " AND pg_get_functiondef(p.oid) LIKE '%pgcrypto_standin_refuse(''%' ORDER BY 1"
    )
    assert tuple(row[0] for row in rows) == STANDINS["pgcrypto"].missing_functions


def test_a_strict_function_that_is_missing_still_returns_null_for_null(standins: psycopg.Connection) -> None:
    assert answer(standins, "SELECT crypt(NULL, 'x'), pgp_sym_encrypt('a', NULL)") == (None, None)
