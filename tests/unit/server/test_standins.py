"""The stand-ins' files and what we say about them agree."""

from __future__ import annotations

import re

import pytest

from howdah.server.standins import STANDINS, standins_directory

FILES = standins_directory() / "extension"


def script_of(name: str) -> str:
    """All statements of a stand-in, in the order of its versions."""
    return "".join(file.read_text() for file in sorted(FILES.glob(f"{name}--*.sql")))


def sha1_of(name: str) -> str:
    """The body of a stand-in's SHA-1."""
    found = re.search(r"_standin_sha1\(data bytea\).*?\$\$(.*?)\$\$;", script_of(name), re.DOTALL)
    assert found
    return found[1]


def test_every_control_file_is_a_standin_we_announce() -> None:
    assert {file.stem for file in FILES.glob("*.control")} == set(STANDINS)


@pytest.mark.parametrize("name", STANDINS)
def test_a_control_file_says_that_it_is_a_standin_anyone_may_create_in_any_schema(name: str) -> None:
    control = (FILES / f"{name}.control").read_text()
    assert f"comment = 'howdah SQL stand-in for {name}, development only" in control
    assert "trusted = true" in control
    assert "relocatable = true" in control
    assert "superuser" not in control
    version = re.search(r"default_version = '(.+)'", control)
    assert version
    assert list(FILES.glob(f"{name}--*{version[1]}.sql"))


def test_both_standins_have_the_same_sha1() -> None:
    assert sha1_of("uuid-ossp") == sha1_of("pgcrypto")


@pytest.mark.parametrize("name", STANDINS)
def test_missing_functions_are_exactly_those_that_refuse(name: str) -> None:
    refused = re.findall(r"standin_refuse\('(\w+)'\)", script_of(name))
    assert sorted(set(refused)) == list(STANDINS[name].missing_functions)


def test_a_refusing_function_names_itself() -> None:
    bodies = re.findall(r"CREATE FUNCTION (\w+)\([^;]*?standin_refuse\('(\w+)'\)", script_of("pgcrypto"))
    assert bodies
    assert all(function == named for function, named in bodies)


def test_an_announcement_says_that_it_is_for_development_and_what_it_lacks() -> None:
    assert (
        STANDINS["uuid-ossp"].announcement == "uuid-ossp: SQL stand-in, development only (all ten functions)"
    )
    assert STANDINS["pgcrypto"].announcement == (
        "pgcrypto: SQL stand-in, development only "
        "(digest, hmac, gen_random_bytes and gen_random_uuid, nothing else)"
    )
