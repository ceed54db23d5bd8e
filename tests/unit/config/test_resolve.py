from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.env import CONVENTIONS
from howdah.config.project import DatabaseSettings, Project, load_project
from howdah.config.resolve import Resolved, resolve
from howdah.config.url import format_url
from howdah.errors import ConfigError

KAIMU_ENV = {
    "host": "DBHOST",
    "port": "DBPORT",
    "name": "DBNAME",
    "user": "DBUSERNAME",
    "password": "DBPASSWORD",
    "sslmode": "DBSSL",
}
KAIMU = DatabaseSettings(
    name="kaimu",
    env=KAIMU_ENV,
    defaults={"host": "localhost", "port": "5432", "name": "kaimu", "user": "kaimu"},
)


def project(
    tmp_path: Path, *databases: DatabaseSettings, env: str | None = None, has_file: bool = True
) -> Project:
    if env is not None:
        (tmp_path / ".env").write_text(env)
    return Project(
        root=tmp_path,
        file=tmp_path / "howdah.toml" if has_file else None,
        databases=databases or (DatabaseSettings(name="app"),),
        env_files=(tmp_path / ".env",),
    )


def shown(resolved: Resolved) -> str:
    return format_url(resolved.database, show_password=True)


# the order, weakest last: each line alone names a database of its own
PLACES = {
    "the project's variables": {"APP_HOST": "h-mapped", "APP_NAME": "d"},
    "HOWDAH_URL": {"HOWDAH_URL": "postgres://h-howdah/d"},
    "DATABASE_URL": {"DATABASE_URL": "postgres://h-url/d"},
    "DB_*": {"DB_HOST": "h-db", "DB_NAME": "d"},
    "POSTGRES_*": {"POSTGRES_HOST": "h-postgres", "POSTGRES_DB": "d"},
    "DBHOST": {"DBHOST": "h-dbhost", "DBNAME": "d"},
    "PG*": {"PGHOST": "h-pg", "PGDATABASE": "d"},
}
MAPPED = DatabaseSettings(name="app", env={"host": "APP_HOST", "name": "APP_NAME"})


@pytest.mark.parametrize("strongest", range(len(PLACES)))
def test_the_first_place_that_names_a_database_wins(tmp_path: Path, strongest: int) -> None:
    places = list(PLACES.values())[strongest:]
    environ = {name: value for place in places for name, value in place.items()}
    expected = next(value for name, value in places[0].items() if "h-" in value).removeprefix("postgres://")
    resolved = resolve(project(tmp_path, MAPPED), environ=environ)
    assert resolved.database.host == expected.removesuffix("/d")
    given_url = resolve(project(tmp_path, MAPPED), url="postgres://h-option/d", environ=environ)
    assert (given_url.database.host, given_url.source) == ("h-option", "--url")


@pytest.mark.parametrize("strongest", range(len(PLACES)))
def test_the_same_order_holds_in_a_dotenv_file_and_the_environment_comes_before_it(
    tmp_path: Path, strongest: int
) -> None:
    places = list(PLACES.values())[strongest:]
    text = "".join(f"{name}={value}\n" for place in places for name, value in place.items())
    here = project(tmp_path, MAPPED, env=text)
    expected = next(value for value in places[0].values() if "h-" in value).removeprefix("postgres://")
    resolved = resolve(here, environ={})
    assert resolved.database.host == expected.removesuffix("/d")
    assert resolved.database.origin["host"].endswith(" in .env")
    weakest_but_real = resolve(here, environ={"PGHOST": "h-real"})
    assert weakest_but_real.database.host == "h-real"


def test_the_dev_server_comes_last(tmp_path: Path) -> None:
    server = DatabaseConfig(host="127.0.0.1", port="54321", database="app")
    assert resolve(project(tmp_path), environ={}, fallback=server).database == server
    assert resolve(project(tmp_path), environ={"PGHOST": "h"}, fallback=server).database.host == "h"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        # the adopters' four styles and libpq's, with no configuration at all
        (
            {
                "DBHOST": "h",
                "DBPORT": "1",
                "DBNAME": "d",
                "DBUSERNAME": "u",
                "DBPASSWORD": "p@",
                "DBSSL": "require",
            },
            "postgresql://u:p%40@h:1/d?sslmode=require",
        ),
        ({"DATABASE_URL": "postgres://u:p@h:1/d?sslmode=require"}, "postgresql://u:p@h:1/d?sslmode=require"),
        (
            {
                "DB_HOST": "h",
                "DB_PORT": "1",
                "DB_NAME": "d",
                "DB_USER": "u",
                "DB_PASSWORD": "p",
                "DB_SSLMODE": "disable",
                "DB_MAX_CONNS": "25",
            },
            "postgresql://u:p@h:1/d?sslmode=disable",
        ),
        (
            {"POSTGRES_DB": "d", "POSTGRES_USER": "u", "POSTGRES_PASSWORD": "p"},
            "postgresql://u:p@localhost:5432/d",
        ),
        (
            {"PGHOST": "h", "PGUSER": "u", "PGDATABASE": "d", "PGPASSWORD": "p", "PGSSLMODE": "verify-full"},
            "postgresql://u:p@h/d?sslmode=verify-full",
        ),
        ({"PGSERVICE": "prod", "PGUSER": "u"}, "postgresql://u@/?service=prod"),
        ({"DB_HOST": "/var/run/postgresql", "DB_NAME": "d"}, "postgresql://%2Fvar%2Frun%2Fpostgresql:5432/d"),
    ],
)
def test_variables_are_understood_without_configuration(
    tmp_path: Path, environ: Mapping[str, str], expected: str
) -> None:
    assert shown(resolve(project(tmp_path, has_file=False), environ=environ)) == expected


def test_kaimus_page_needs_the_password_only(tmp_path: Path) -> None:
    resolved = resolve(project(tmp_path, KAIMU), environ={"DBPASSWORD": "mysecretpassword"})
    assert shown(resolved) == "postgresql://kaimu:mysecretpassword@localhost:5432/kaimu"
    assert resolved.database.origin["host"] == "default of howdah.toml"
    assert resolved.database.origin["password"] == "DBPASSWORD"


def test_a_mapped_password_alone_says_not_where_the_database_is(tmp_path: Path) -> None:
    settings = DatabaseSettings(name="app", env={"password": "APP_PW"})
    environ = {"APP_PW": "p", "DATABASE_URL": "postgres://h/d"}
    assert shown(resolve(project(tmp_path, settings), environ=environ)) == "postgresql://h/d"


def test_defaults_alone_name_no_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(project(tmp_path, KAIMU), environ={})
    assert caught.value.code == "no-address"


def test_an_address_is_never_put_together_from_two_conventions(tmp_path: Path) -> None:
    environ = {"DB_HOST": "h", "DB_NAME": "d", "POSTGRES_PASSWORD": "hunter2", "POSTGRES_USER": "u"}
    resolved = resolve(project(tmp_path), environ=environ)
    assert shown(resolved) == "postgresql://h:5432/d"
    assert [note.code for note in resolved.notes] == ["unused-password"]
    assert "POSTGRES_PASSWORD" in resolved.notes[0].message


def test_a_convention_is_completed_from_the_file_by_its_own_variables_only(tmp_path: Path) -> None:
    here = project(tmp_path, env="DB_PASSWORD=p\nDB_PORT=7\nPOSTGRES_USER=other\nPGUSER=other\n")
    resolved = resolve(here, environ={"DB_HOST": "h", "DB_PORT": "8"})
    assert shown(resolved) == "postgresql://:p@h:8/app"
    assert dict(resolved.database.origin) == {
        "host": "DB_HOST",
        "port": "DB_PORT",
        "password": "DB_PASSWORD in .env",
        "database": "[database.app]",
    }


def test_contradicting_conventions_are_reported(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": "postgres://u:hunter2@h1/d", "DB_HOST": "h2", "DB_NAME": "d"}
    resolved = resolve(project(tmp_path), environ=environ)
    assert resolved.database.host == "h1"
    assert [note.code for note in resolved.notes] == ["contradicting-variables"]
    assert "DB_*" in resolved.notes[0].message
    same = {**environ, "DB_HOST": "h1"}
    assert resolve(project(tmp_path), environ=same).notes == ()


def test_variables_of_the_others_do_not_contradict_an_address_of_its_own(tmp_path: Path) -> None:
    apart = DatabaseSettings(name="analytics", url="postgres://analytics@warehouse/analytics")
    environ = {"DATABASE_URL": "postgres://u@shared/d"}
    here = project(tmp_path, DatabaseSettings(name="auth"), apart)

    assert resolve(here, db="analytics", environ=environ).notes == ()
    alone = resolve(project(tmp_path, apart), environ=environ)
    assert [note.code for note in alone.notes] == ["contradicting-variables"]


def test_libpqs_variables_fill_what_the_address_leaves_open(tmp_path: Path) -> None:
    environ = {"PGPASSWORD": "p", "PGSSLMODE": "require", "PGHOST": "ignored", "PGAPPNAME": "ignored"}
    resolved = resolve(project(tmp_path), url="postgres://u@h/d", environ=environ)
    assert shown(resolved) == "postgresql://u:p@h/d?sslmode=require"
    assert (resolved.database.origin["host"], resolved.database.origin["password"]) == ("--url", "PGPASSWORD")


def test_a_service_comes_before_libpqs_other_variables(tmp_path: Path) -> None:
    environ = {"PGPASSWORD": "p", "PGUSER": "u"}
    resolved = resolve(project(tmp_path, has_file=False), url="service=prod", environ=environ)
    assert resolved.database.conninfo() == {"service": "prod"}


def test_the_files_name_is_the_databases_unless_the_address_says_another(tmp_path: Path) -> None:
    for url, name in (("postgres://h", "app"), ("postgres://h/other", "other")):
        assert resolve(project(tmp_path), url=url, environ={"PGDATABASE": "pg"}).database.database == name
    assumed = project(tmp_path, has_file=False)
    assert resolve(assumed, url="postgres://h", environ={}).database.database == ""


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    environ = {"HOWDAH_URL": "", "DATABASE_URL": "", "DB_HOST": "", "PGHOST": "h"}
    assert resolve(project(tmp_path), environ=environ).database.host == "h"


class TestUrlOfTheFile:
    def settings(self, **more: object) -> DatabaseSettings:
        return DatabaseSettings(name="app", url="postgresql://app:${PW}@${HOST:-h}:5432/app", **more)  # type: ignore[arg-type]

    def test_variables_are_put_in_and_encoded(self, tmp_path: Path) -> None:
        resolved = resolve(project(tmp_path, self.settings()), environ={"PW": "p@ss/w%41"})
        assert resolved.database.password == Secret("p@ss/w%41")
        assert (resolved.database.host, resolved.source) == ("h", "url of [database.app]")

    def test_it_is_passed_over_while_a_variable_is_not_set(self, tmp_path: Path) -> None:
        resolved = resolve(project(tmp_path, self.settings()), environ={"DATABASE_URL": "postgres://h2/d"})
        assert resolved.database.host == "h2"

    def test_it_comes_before_other_variables(self, tmp_path: Path) -> None:
        resolved = resolve(
            project(tmp_path, self.settings()), environ={"PW": "p", "DATABASE_URL": "postgres://h2/d"}
        )
        assert resolved.database.host == "h"

    def test_a_whole_url_in_a_variable_is_taken_as_it_is(self, tmp_path: Path) -> None:
        settings = DatabaseSettings(name="app", url="${APP_DSN}")
        resolved = resolve(project(tmp_path, settings), environ={"APP_DSN": "postgres://u:p%40@h/d"})
        assert shown(resolved) == "postgresql://u:p%40@h/d"

    def test_mapped_variables_come_over_it(self, tmp_path: Path) -> None:
        settings = DatabaseSettings(name="app", url="postgresql://app@h:6000/app", env={"password": "APP_PW"})
        resolved = resolve(project(tmp_path, settings, env="APP_PW=p"), environ={})
        assert shown(resolved) == "postgresql://app:p@h:6000/app"
        assert resolved.database.origin["password"] == "APP_PW in .env"


class TestSeveralDatabases:
    def several(self, tmp_path: Path) -> Project:
        return project(
            tmp_path, *(DatabaseSettings(name=f"QuikApp_{name}") for name in ("workspace", "channel"))
        )

    def test_one_must_be_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            resolve(self.several(tmp_path), environ={"DATABASE_URL": "postgres://h/d"})
        assert caught.value.code == "which-database"
        assert "QuikApp_workspace, QuikApp_channel" in caught.value.message

    def test_a_near_name_is_suggested(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            resolve(self.several(tmp_path), db="quikapp_chanel", environ={})
        assert caught.value.fix == "Did you mean 'QuikApp_channel'?"

    def test_shared_variables_name_the_server_only(self, tmp_path: Path) -> None:
        environ = {"DB_HOST": "h", "DB_NAME": "QuikApp_workspace", "DB_USER": "u"}
        resolved = resolve(self.several(tmp_path), db="QuikApp_channel", environ=environ)
        assert shown(resolved) == "postgresql://u@h:5432/QuikApp_channel"
        assert resolved.database.origin["database"] == "[database.QuikApp_channel]"

    def test_a_url_picks_the_database_it_names(self, tmp_path: Path) -> None:
        resolved = resolve(self.several(tmp_path), url="postgres://h/QuikApp_channel", environ={})
        assert resolved.settings.name == "QuikApp_channel"
        assert resolve(self.several(tmp_path), url="postgres://h/x", environ={}).settings == DatabaseSettings(
            "x"
        )


class TestDirectUrl:
    @pytest.mark.parametrize(
        "environ",
        [
            {"DATABASE_URL": "postgres://pool:6543/d", "DIRECT_URL": "postgres://direct/d"},
            {"DATABASE_URL": "postgres://pool:6543/d", "DATABASE_URL_UNPOOLED": "postgres://direct/d"},
            {"HOWDAH_URL": "postgres://pool/d", "HOWDAH_DIRECT_URL": "postgres://direct/d"},
            {"POSTGRES_URL": "postgres://pool/d", "POSTGRES_URL_NON_POOLING": "postgres://direct/d"},
            {"APP_HOST": "pool", "APP_DIRECT": "postgres://direct"},
        ],
    )
    def test_it_belongs_to_the_address_that_won(self, tmp_path: Path, environ: Mapping[str, str]) -> None:
        settings = DatabaseSettings(name="d", env={"host": "APP_HOST", "direct_url": "APP_DIRECT"})
        resolved = resolve(project(tmp_path, settings), environ=environ)
        assert resolved.direct is not None
        assert (resolved.direct.host, resolved.direct.database) == ("direct", "d")
        assert resolved.database.host == "pool"

    def test_the_files_is_filled_in(self, tmp_path: Path) -> None:
        settings = DatabaseSettings(name="d", direct_url="postgres://u:${PW}@direct/d")
        resolved = resolve(
            project(tmp_path, settings), environ={"DATABASE_URL": "postgres://pool/d", "PW": "p/"}
        )
        assert resolved.direct is not None
        assert resolved.direct.password == Secret("p/")

    def test_it_is_not_used_for_another_address(self, tmp_path: Path) -> None:
        environ = {"DIRECT_URL": "postgres://direct/d", "DB_HOST": "h"}
        assert resolve(project(tmp_path), environ=environ).direct is None
        assert resolve(project(tmp_path), url="postgres://h/d", environ=environ).direct is None

    def test_another_database_is_reported(self, tmp_path: Path) -> None:
        environ = {"DATABASE_URL": "postgres://pool/d", "DIRECT_URL": "postgres://direct/e"}
        assert [note.code for note in resolve(project(tmp_path), environ=environ).notes] == [
            "contradicting-direct-url"
        ]


def test_nothing_found_says_where_was_looked_and_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(project(tmp_path, KAIMU, env="DB_MAX_CONNS=5"), environ={})
    error = caught.value
    assert error.code == "no-address"
    assert all(
        word in str(error.why) for word in ("DBHOST", "DATABASE_URL", "PGHOST", ".env (read)", "dev server")
    )
    assert error.next[0] == "howdah dev up"


def test_a_later_file_wins(tmp_path: Path) -> None:
    (tmp_path / "howdah.toml").write_text("[env]\nfiles = ['.env', '.env.local']\n[database.app]\n")
    (tmp_path / ".env").write_text("DB_HOST=h1\nDB_PASSWORD=p\n")
    (tmp_path / ".env.local").write_text("DB_HOST=h2\n")
    resolved = resolve(load_project(tmp_path), environ={})
    assert shown(resolved) == "postgresql://:p@h2:5432/app"
    assert (resolved.database.origin["host"], resolved.source) == (
        "DB_HOST in .env.local",
        "DB_* in .env.local",
    )


def test_a_broken_dotenv_file_is_no_matter_when_the_url_is_given(tmp_path: Path) -> None:
    here = project(tmp_path, env="A='open")
    assert resolve(here, url="postgres://h/d", environ={}).database.host == "h"
    with pytest.raises(ConfigError) as caught:
        resolve(here, environ={})
    assert str(caught.value.where) == f"{tmp_path}/.env:1"


VARIABLES = sorted(
    {name for convention in CONVENTIONS for names in convention.parts.values() for name in names}
)


@given(
    st.dictionaries(
        st.sampled_from(VARIABLES), st.text(min_size=1, max_size=8).map("hunter2".__add__), max_size=8
    )
)
def test_no_error_and_no_note_shows_a_value(environ: dict[str, str]) -> None:
    try:
        resolved = resolve(Project(Path("/nowhere"), databases=(DatabaseSettings("app"),)), environ=environ)
    except ConfigError as error:
        shown_texts = [str(error), repr(error), str(error.why), str(error.fix)]
    else:
        shown_texts = [f"{note.message} {note.why} {note.fix}" for note in resolved.notes]
        shown_texts += [*resolved.database.origin.values(), resolved.source]
        shown_texts += [repr(resolved.database.password)]
    assert "hunter2" not in " ".join(shown_texts)
