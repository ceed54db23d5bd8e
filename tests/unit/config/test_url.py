from __future__ import annotations

import pytest

from howdah.config.authority import possible_readings
from howdah.config.database import DatabaseConfig, Secret
from howdah.config.env import CONVENTIONS, Layer, find_part
from howdah.config.url import format_url, parse_url
from howdah.errors import ConfigError


def facts(text: str) -> dict[str, str]:
    return parse_url(text).conninfo()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        # the adopters' own documents
        (
            "postgresql://user:password@host:5432/database?sslmode=require",
            {
                "host": "host",
                "port": "5432",
                "user": "user",
                "password": "password",
                "dbname": "database",
                "sslmode": "require",
            },
        ),
        (
            "postgres://holomush:secret@localhost:5432/holomush?sslmode=require",
            {
                "host": "localhost",
                "port": "5432",
                "user": "holomush",
                "password": "secret",
                "dbname": "holomush",
                "sslmode": "require",
            },
        ),
        (
            "postgresql://QuikApp:secret@localhost:5432/QuikApp_analytics",
            {
                "host": "localhost",
                "port": "5432",
                "user": "QuikApp",
                "password": "secret",
                "dbname": "QuikApp_analytics",
            },
        ),
        (
            "host=db port=5432 user=app password=pw dbname=app sslmode=disable",
            {
                "host": "db",
                "port": "5432",
                "user": "app",
                "password": "pw",
                "dbname": "app",
                "sslmode": "disable",
            },
        ),
        # libpq's corners
        ("postgresql://", {}),
        ("postgresql:///app", {"dbname": "app"}),
        ("postgresql://[2001:db8::1]:6000/app", {"host": "2001:db8::1", "port": "6000", "dbname": "app"}),
        (
            "postgresql://a:1,b:2/app?target_session_attrs=read-write",
            {"host": "a,b", "port": "1,2", "dbname": "app", "target_session_attrs": "read-write"},
        ),
        ("postgresql://a,b/app?port=7", {"host": "a,b", "port": "7", "dbname": "app"}),
        ("postgresql://%2Fvar%2Frun%2Fpg/app", {"host": "/var/run/pg", "dbname": "app"}),
        ("postgresql://h/a%2Fb?ssl=true", {"host": "h", "dbname": "a/b", "sslmode": "require"}),
        ("postgresql:///app?service=prod", {"dbname": "app", "service": "prod"}),
        # other worlds
        ("postgresql+psycopg://u@h/d", {"host": "h", "user": "u", "dbname": "d"}),
        (
            "postgresql+asyncpg://u@h/d?ssl=verify-full",
            {"host": "h", "user": "u", "dbname": "d", "sslmode": "verify-full"},
        ),
        ("pgx5://u@h/d", {"host": "h", "user": "u", "dbname": "d"}),
        ("pgx://u@h/d", {"host": "h", "user": "u", "dbname": "d"}),
        ("postgis://u@h/d", {"host": "h", "user": "u", "dbname": "d"}),
        (
            "jdbc:postgresql://h:5432/d?user=u&password=p%26q&ssl=true",
            {
                "host": "h",
                "port": "5432",
                "dbname": "d",
                "user": "u",
                "password": "p&q",
                "sslmode": "require",
            },
        ),
        ("jdbc:postgresql:d", {"dbname": "d"}),
        (
            "jdbc:postgresql://a:1,b:2/d?targetServerType=primary&ApplicationName=x",
            {
                "host": "a,b",
                "port": "1,2",
                "dbname": "d",
                "target_session_attrs": "primary",
                "application_name": "x",
            },
        ),
        (
            "postgresql+psycopg2://u@/d?host=a:1&host=b:2",
            {"host": "a,b", "port": "1,2", "dbname": "d", "user": "u"},
        ),
        (
            "postgresql://u:p@/d?host=/cloudsql/project:region:instance",
            {"host": "/cloudsql/project:region:instance", "dbname": "d", "user": "u", "password": "p"},
        ),
        (
            "postgresql://u:p@ep-x.eu.neon.tech/d?sslmode=require&channel_binding=require&options=endpoint%3Dep-x",
            {
                "host": "ep-x.eu.neon.tech",
                "dbname": "d",
                "user": "u",
                "password": "p",
                "sslmode": "require",
                "channel_binding": "require",
                "options": "endpoint=ep-x",
            },
        ),
        (
            "postgres://postgres.ref:p@aws-0-eu.pooler.supabase.com:6543/postgres?pgbouncer=true&connection_limit=1",
            {
                "host": "aws-0-eu.pooler.supabase.com",
                "port": "6543",
                "dbname": "postgres",
                "user": "postgres.ref",
                "password": "p",
            },
        ),
        ("postgres://h/d?schema=public", {"host": "h", "dbname": "d"}),
        (
            "postgres://h/d?schema=My%20App&search_path=x&statement_timeout=5s",
            {
                "host": "h",
                "dbname": "d",
                "options": '-c search_path="My\\ App" -c search_path=x -c statement_timeout=5s',
            },
        ),
        (
            "host=localhost user=gorm password=gorm dbname=gorm port=9920 sslmode=disable TimeZone=Asia/Shanghai",
            {
                "host": "localhost",
                "user": "gorm",
                "password": "gorm",
                "dbname": "gorm",
                "port": "9920",
                "sslmode": "disable",
                "options": "-c timezone=Asia/Shanghai",
            },
        ),
        # as files and shells leave it
        ("  'postgresql://h/d'\n", {"host": "h", "dbname": "d"}),
        ("host=h password= dbname=d", {"host": "h", "dbname": "d"}),
        (r"host = h password='it\'s' user=a\ b", {"host": "h", "password": "it's", "user": "a b"}),
    ],
)
def test_an_address_is_understood(url: str, expected: dict[str, str]) -> None:
    assert facts(url) == expected


def test_parameters_of_golang_migrate_are_kept_apart() -> None:
    config = parse_url(
        'pgx5://h/d?x-migrations-table="s"."t"&x-migrations-table-quoted=1&x-multi-statement=true'
        "&x-statement-timeout=5000&x-lock-strategy=table&sslmode=disable"
    )
    assert config.tool_options == {
        "x-migrations-table": '"s"."t"',
        "x-migrations-table-quoted": "1",
        "x-multi-statement": "true",
        "x-statement-timeout": "5000",
        "x-lock-strategy": "table",
    }
    assert config.options == {"sslmode": "disable"}


@pytest.mark.parametrize(
    "password",
    [
        "p@ss",
        "p:ss",
        "p/ss",
        "p?ss",
        "p#ss",
        "p ss",
        "pässword",
        "100%",
        "a@b/c:d?e#f",
        "p?sslmode",
        "1/2",
        "[x]",
        "'",
        "a&b=c",
    ],
)
def test_a_password_that_was_not_encoded_is_read_as_it_stands(password: str) -> None:
    config = parse_url(f"postgresql://app:{password}@db.example.test:5432/app?sslmode=require")
    assert config.password == Secret(password)
    assert (config.host, config.database, config.user) == ("db.example.test", "app", "app")
    assert config.options == {"sslmode": "require"}


def test_an_at_sign_in_a_parameter_or_a_password_with_a_port_like_start_is_not_mistaken() -> None:
    assert facts("postgres://h:5432/d?application_name=a@b") == {
        "host": "h",
        "port": "5432",
        "dbname": "d",
        "application_name": "a@b",
    }
    assert facts("postgres://u:12/34@h/d") == {"host": "h", "dbname": "d", "user": "u", "password": "12/34"}


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:hunter2/a@h/d?sslmode=x@h2/db",  # two passwords are possible
        "postgres://u:hunter%402%@h/d",  # encoded or not?
        "postgres://u:hunter2",  # no host
        "postgres://u:hunter2/x",
        "postgres://u:hunter2@h/d@",
        "postgres://u:hunter2@h:port/d",
        "postgres://u:p%E9hunter2@h/d",  # Latin-1
        "host=h password=hunter2 hunter2 dbname=d",
        "host=h password='hunter2 dbname=d",
        "jdbc:postgresql://h/d?user=u&password=a&hunter2=b",
        "postgres://u:p@x/y@h/d?hunter2=1&z",
        "hunter2",
        "hunter2=",
        "mysql://u:hunter2@h/d",
        "cockroachdb://u:hunter2@h/d",
        "postgres://u:hunter2@h/d?sslmode=hunter2",
        "postgres://u:hunter2@h/d?target_session_attrs=hunter2",
    ],
)
def test_a_refusal_shows_no_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(url)
    error = caught.value
    for text in (str(error), repr(error), str(error.why), str(error.fix), *error.next):
        assert "hunter2" not in text
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(
    ("url", "fix"),
    [
        ("postgres://h/d?sslmod=require", "Did you mean 'sslmode'?"),
        ("postgres://h/d?sslmode=verify_ful", "Did you mean 'verify-full'?"),
        ("postgres://h/d?target_session_attrs=read-writ", "Did you mean 'read-write'?"),
        ("postgress://h/d", "Did you mean 'postgres://'?"),
        ("host=h dbnam=x", "Did you mean 'dbname'?"),
    ],
)
def test_a_near_name_is_suggested(url: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(url)
    assert caught.value.fix == fix


@pytest.mark.parametrize("scheme", ["cockroachdb", "yugabyte", "redshift", "mysql", "prisma+postgres"])
def test_another_server_is_refused(scheme: str) -> None:
    with pytest.raises(ConfigError, match="not a scheme of PostgreSQL"):
        parse_url(f"{scheme}://h/d")


def test_the_origin_names_the_place_and_marks_every_part() -> None:
    config = parse_url("postgres://u:p@h/d?sslmode=require", origin="DATABASE_URL")
    assert dict(config.origin) == dict.fromkeys(
        ("user", "password", "host", "database", "sslmode"), "DATABASE_URL"
    )
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        parse_url("nonsense", origin="DATABASE_URL")


def test_secrets_are_masked_in_a_formatted_url_and_in_a_repr() -> None:
    config = DatabaseConfig(
        host="h", user="u", password=Secret("hunter2"), options={"sslpassword": "hunter3"}
    )
    assert format_url(config) == "postgresql://u:***@h/?sslpassword=***"
    assert format_url(config, show_password=True) == "postgresql://u:hunter2@h/?sslpassword=hunter3"
    assert "hunter" not in repr(config)
    assert "hunter" not in config.target


def test_a_mask_that_was_printed_is_never_taken_for_a_password() -> None:
    printed = format_url(DatabaseConfig(host="h", database="d", user="u", password=Secret("***")))
    with pytest.raises(ConfigError, match="in place of its password"):
        parse_url(printed)
    password = parse_url("postgresql://u:%2A%2A%2A@h/d").password
    assert password is not None
    assert password.reveal() == "***"


def test_what_parsing_keeps_on_the_way_shows_nothing() -> None:
    layer = Layer({"DATABASE_URL": "hunter2"})
    found = find_part(CONVENTIONS[1], "url", [layer])
    readings = possible_readings("u:hunter2@h/d", is_parameter=bool)
    assert "hunter2" not in f"{layer} {found} {readings}"


def test_a_service_is_named_as_the_target() -> None:
    assert parse_url("postgresql:///?service=prod").target == "(default database) on service prod"
