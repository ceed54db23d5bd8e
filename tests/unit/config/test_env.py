from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from howdah.config.dotenv import parse_env
from howdah.config.env import (
    CONVENTIONS,
    Layer,
    as_variables,
    left_out,
    mapped_convention,
    print_env,
    read_convention,
)
from howdah.config.url import parse_url
from howdah.errors import ConfigError

KAIMU = {
    "host": "DBHOST",
    "port": "DBPORT",
    "name": "DBNAME",
    "user": "DBUSERNAME",
    "password": "DBPASSWORD",
    "sslmode": "DBSSL",
}
MANAGED = "postgresql://doadmin:p%40ss%2Fw@db-1.example.test:25060/defaultdb?sslmode=require"


def test_a_managed_url_is_split_into_an_applications_variables() -> None:
    assert as_variables(parse_url(MANAGED), KAIMU) == {
        "DBHOST": "db-1.example.test",
        "DBPORT": "25060",
        "DBNAME": "defaultdb",
        "DBUSERNAME": "doadmin",
        "DBPASSWORD": "p@ss/w",
        "DBSSL": "require",
    }


def test_variables_are_put_together_to_the_same_address() -> None:
    variables = as_variables(parse_url(MANAGED), KAIMU)
    assert read_convention(mapped_convention(KAIMU, {}), [Layer(variables)]) == parse_url(MANAGED)


def test_a_variable_for_the_whole_address_gets_a_url_with_the_password() -> None:
    assert as_variables(parse_url(MANAGED), {"url": "DATABASE_URL"}) == {"DATABASE_URL": MANAGED}


def test_a_default_port_is_written_out() -> None:
    assert as_variables(parse_url("postgres://h/d"), KAIMU) == {
        "DBHOST": "h",
        "DBPORT": "5432",
        "DBNAME": "d",
    }


def test_what_no_variable_can_take_is_said() -> None:
    config = parse_url("postgres://h/d?sslmode=require&channel_binding=require&options=endpoint%3Dx")
    assert left_out(config, KAIMU) == ("channel_binding", "options")
    assert left_out(config, {"url": "DATABASE_URL"}) == ()


def test_every_convention_reads_its_own_variables_and_nobody_elses() -> None:
    for convention in CONVENTIONS:
        if "host" not in convention.parts:
            continue
        parts = {"host": "h", "port": "7", "name": "d", "user": "u", "password": "p", "sslmode": "require"}
        for index in range(3):  # the first, second and third variable of each part
            variables = {
                names[min(index, len(names) - 1)]: parts[part]
                for part, names in convention.parts.items()
                if part in parts
            }
            config = read_convention(convention, [Layer(variables)])
            assert config == parse_url("postgres://u:p@h:7/d?sslmode=require"), convention.name
            assert set(config.origin.values()) == set(variables)


def test_no_variable_belongs_to_two_conventions() -> None:
    variables = [name for convention in CONVENTIONS for names in convention.parts.values() for name in names]
    assert len(variables) == len(set(variables))


@pytest.mark.parametrize(
    ("value", "mode"), [("true", "require"), ("off", "disable"), ("verify-full", "verify-full")]
)
def test_an_applications_ssl_switch_is_an_sslmode(value: str, mode: str) -> None:
    layer = Layer({"DB_HOST": "h", "DB_SSL": value})
    assert read_convention(CONVENTIONS[2], [layer]).options == {"sslmode": mode}


@pytest.mark.parametrize("port", ["hunter2", "0", "65536", "5432x", "-1", "\uff15"])
def test_a_port_that_is_none_is_refused_and_not_shown(port: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_convention(CONVENTIONS[2], [Layer({"DB_HOST": "h", "DB_PORT": port}, " in .env")])
    assert str(caught.value) == "DB_PORT in .env is not a port number"


def test_a_variable_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(ConfigError, match="DB_PASSWORD is not UTF-8"):
        read_convention(CONVENTIONS[2], [Layer({"DB_HOST": "h", "DB_PASSWORD": "caf\udce9"})])


VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.dictionaries(st.from_regex(r"\A[A-Z_][A-Z0-9_]{0,8}\Z"), VALUES, max_size=4))
def test_printed_variables_are_words_of_the_shell(variables: dict[str, str]) -> None:
    words = shlex.split(print_env(variables))
    assert dict(word.split("=", 1) for word in words) == variables


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")))
@example("it's")
@example("ends with \\")
@example("\\' \\\\'")
def test_howdah_reads_the_printed_variables_from_a_file(value: str) -> None:
    assert parse_env(print_env({"A": value}), environ={}) == {"A": value}


def test_a_shell_and_a_dotenv_file_read_the_printed_variables() -> None:
    variables = {"A": 'p@ss $HOME `id` "x" \\ # ü', "B": "1"}
    script = print_env(variables) + 'printf "%s|%s" "$A" "$B"'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == f"{variables['A']}|1"
    assert parse_env(print_env(variables), environ={}) == variables
