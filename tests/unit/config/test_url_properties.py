"""For any text in any part: what is written is read back, libpq agrees, and no message shows a password."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.env import Layer, as_variables, mapped_convention, read_convention
from howdah.config.url import format_url, parse_url
from howdah.errors import ConfigError

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
HOST = TEXT.filter(lambda text: "," not in text)
PORT = st.integers(1, 65535).map(str)


@st.composite
def places(draw: st.DrawFn) -> tuple[str, str]:
    hosts = draw(st.lists(HOST.filter(bool), min_size=1, max_size=3))
    ports = draw(
        st.one_of(
            st.just([]),
            st.lists(PORT, min_size=1, max_size=1),
            st.just(hosts).map(lambda h: ["5432"] * len(h)),
        )
    )
    return ",".join(hosts), ",".join(ports)


CONFIGS = st.builds(
    lambda place, database, user, password, options, tool_options: DatabaseConfig(
        host=place[0],
        port=place[1],
        database=database,
        user=user,
        password=Secret(password) if password else None,
        options={key: value for key, value in options.items() if value},
        tool_options={f"x-{key}": value for key, value in tool_options.items() if value},
    ),
    st.one_of(places(), st.just(("", ""))),
    TEXT,
    TEXT,
    TEXT,
    st.fixed_dictionaries(
        {},
        optional={
            "sslmode": st.sampled_from(["disable", "verify-full"]),
            "application_name": TEXT,
            "options": TEXT,
            "sslrootcert": TEXT,
            "sslpassword": TEXT,
        },
    ),
    st.dictionaries(TEXT, TEXT, max_size=2),
)


@given(CONFIGS)
def test_a_formatted_url_is_read_back(config: DatabaseConfig) -> None:
    assert parse_url(format_url(config, show_password=True)) == config


@given(CONFIGS)
def test_libpq_reads_a_formatted_url_as_we_do(config: DatabaseConfig) -> None:
    libpq_config = DatabaseConfig(
        host=config.host,
        port=config.port,
        database=config.database,
        user=config.user,
        password=config.password,
        options=config.options,
    )
    found = conninfo_to_dict(format_url(libpq_config, show_password=True))
    if not str(found.get("port", "")).strip(","):
        found.pop("port", None)  # "," stands for "no port" of two hosts
    assert found == config.conninfo()


@given(CONFIGS)
def test_a_conninfo_text_is_read_as_libpq_wrote_it(config: DatabaseConfig) -> None:
    text = make_conninfo("", **config.conninfo())
    if text:
        assert parse_url(text).conninfo() == config.conninfo()


@given(CONFIGS)
def test_an_address_survives_an_applications_variables(config: DatabaseConfig) -> None:
    names = {
        "host": "DBHOST",
        "port": "DBPORT",
        "name": "DBNAME",
        "user": "DBUSERNAME",
        "password": "DBPASSWORD",
    }
    variables = as_variables(config, names)
    back = read_convention(mapped_convention(names, {}), [Layer(variables)])
    assert (back.database, back.user, back.password) == (config.database, config.user, config.password)
    assert (back.host, back.port) == (config.host or "localhost", config.port or "5432")


def attempt(text: str) -> DatabaseConfig | ConfigError:
    try:
        return parse_url(text)
    except ConfigError as error:
        return error


SPECIAL = st.text(st.sampled_from("@:/?#%&=[]+ ,;'\"\\ü"), max_size=6)


@given(SPECIAL, SPECIAL, SPECIAL)
@example("@", "/", "@")
@example("?", "=", "&")
def test_a_raw_password_is_read_or_refused_and_never_shown(before: str, middle: str, after: str) -> None:
    password = f"{before}hunter2{middle}hunter2{after}"
    for url in (
        f"postgresql://app:{password}@db.example.test/app?sslmode=require",
        f"jdbc:postgresql://db.example.test/app?user=app&password={password}",
        f"host=db.example.test password={password} user=app",
    ):
        answer = attempt(url)
        if isinstance(answer, ConfigError):
            shown = [str(answer), repr(answer), str(answer.why), str(answer.fix)]
        else:
            shown = [repr(answer), format_url(answer)] if answer.password == Secret(password) else []
        assert "hunter2" not in " ".join(shown)


@given(SPECIAL, SPECIAL)
def test_a_raw_password_in_a_url_with_one_host_is_never_taken_for_another(before: str, after: str) -> None:
    """Whatever is understood is right: a wrong reading would connect to a wrong host with a wrong password."""
    password = f"{before}w{after}"
    config = attempt(f"postgresql://app:{password}@db.example.test:5432/app")
    if isinstance(config, DatabaseConfig):
        assert (config.host, config.database) == ("db.example.test", "app")
        assert config.password == Secret(password)
    else:
        assert config.code == "bad-address"


@given(TEXT)
def test_any_text_is_an_address_or_a_clear_refusal(text: str) -> None:
    answer = attempt(text)
    if isinstance(answer, ConfigError):
        assert answer.code in {"bad-address", "unknown-parameter", "bad-sslmode", "bad-parameter"}
        assert answer.fix


def test_a_zero_byte_is_refused() -> None:
    with pytest.raises(ConfigError, match="zero byte"):
        parse_url("postgres://u:a%00b@h/d")
