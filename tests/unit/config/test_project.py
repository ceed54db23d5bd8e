from __future__ import annotations

import os
from pathlib import Path

import pytest

from howdah.config.project import (
    DatabaseSettings,
    DevSettings,
    GrantSettings,
    RoleSettings,
    SetupSettings,
    load_project,
)
from howdah.errors import ConfigError

KAIMU = """\
[database.kaimu]
migrations = "backend/db/migrations"
env = { host = "DBHOST", port = "DBPORT", name = "DBNAME", user = "DBUSERNAME", password = "DBPASSWORD" }
defaults = { host = "localhost", port = 5432, name = "kaimu", user = "kaimu", sslmode = "disable" }
protected = false

[database.kaimu.setup]
owner = "kaimu"
extensions = ["uuid-ossp"]

[database.kaimu.setup.role.kaimu]
password-env = "DBPASSWORD"

[[database.kaimu.setup.grant]]
to = "reporting"
privileges = ["SELECT"]
on = "all tables in schema public"
future = true

[database.kaimu.expect]
"embeddings.embedding" = "vector(1024)"

[dev]
postgresql = 16 # the major version that production runs
settings = { max_connections = 50, jit = false, log_statement = "all" }
"""

GRANT = "[[database.x.setup.grant]]\nto = 'a'\non = 'schema s'\n"


def write(folder: Path, text: str, name: str = "howdah.toml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def refusal(folder: Path, text: str, name: str = "howdah.toml") -> ConfigError:
    write(folder, text, name)
    with pytest.raises(ConfigError) as caught:
        load_project(folder)
    return caught.value


def test_every_part_of_the_file_is_read(tmp_path: Path) -> None:
    file = write(tmp_path, KAIMU)
    project = load_project(tmp_path)
    assert (project.root, project.file) == (tmp_path, file)
    assert project.env_files == (tmp_path / ".env",)
    assert project.dev == DevSettings(
        major=16, settings={"max_connections": "50", "jit": "off", "log_statement": "all"}
    )
    assert project.databases == (
        DatabaseSettings(
            name="kaimu",
            env={
                "host": "DBHOST",
                "port": "DBPORT",
                "name": "DBNAME",
                "user": "DBUSERNAME",
                "password": "DBPASSWORD",
            },
            defaults={
                "host": "localhost",
                "port": "5432",
                "name": "kaimu",
                "user": "kaimu",
                "sslmode": "disable",
            },
            migrations=tmp_path / "backend/db/migrations",
            setup=SetupSettings(
                owner="kaimu",
                extensions=("uuid-ossp",),
                roles=(RoleSettings("kaimu", password_env="DBPASSWORD"),),
                grants=(GrantSettings("reporting", ("SELECT",), "all tables in schema public", future=True),),
            ),
            expect={"embeddings.embedding": "vector(1024)"},
        ),
    )


def test_several_databases_keep_their_order(tmp_path: Path) -> None:
    write(tmp_path, "[database.QuikApp_workspace]\n[database.QuikApp_channel]\n[database.analytics]\n")
    names = [settings.name for settings in load_project(tmp_path).databases]
    assert names == ["QuikApp_workspace", "QuikApp_channel", "analytics"]


def test_pyproject_holds_the_same_tables(tmp_path: Path) -> None:
    write(tmp_path, "[project]\nname = 'x'\n[tool.howdah.database.app]\nprotected = true\n", "pyproject.toml")
    project = load_project(tmp_path)
    assert project.databases == (DatabaseSettings(name="app", protected=True),)
    assert project.file == tmp_path / "pyproject.toml"


def test_the_nearest_file_upward_counts(tmp_path: Path) -> None:
    write(tmp_path, "[database.outer]\n")
    inner = tmp_path / "a/b/c"
    inner.mkdir(parents=True)
    assert load_project(inner).root == tmp_path
    write(tmp_path / "a", "[database.inner]\n")
    write(tmp_path / "a/b", "[project]\nname = 'howdah-is-only-mentioned'\n", "pyproject.toml")
    assert [settings.name for settings in load_project(inner).databases] == ["inner"]


def test_the_search_ends_at_a_repository(tmp_path: Path) -> None:
    write(tmp_path, "[database.outer]\n")
    inner = tmp_path / "repository/src"
    inner.mkdir(parents=True)
    (tmp_path / "repository/.git").mkdir()
    project = load_project(inner)
    assert (project.root, project.file) == (tmp_path / "repository", None)
    assert project.databases == (DatabaseSettings(name="repository"),)


def test_a_folder_without_anything_is_a_project(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    project = load_project(folder)
    if project.file is None:  # unless a folder above the temporary one is somebody's project
        assert [settings.name for settings in project.databases] == [project.root.name]


def test_a_named_file_is_taken(tmp_path: Path) -> None:
    file = write(tmp_path, "[database.x]\nmigrations = 'sql'\n", "other.toml")
    project = load_project(file=file)
    assert (project.root, project.databases[0].migrations) == (tmp_path, tmp_path / "sql")
    with pytest.raises(ConfigError, match="no such file"):
        load_project(file=tmp_path / "none.toml")


def test_paths_are_relative_to_the_file_and_know_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    write(
        tmp_path,
        "[env]\nfiles = ['.env', 'deploy/.env']\n[dev]\nbindir = '~/pg/bin'\n"
        "[database.x.defaults]\nsslrootcert = 'ca.crt'\n[database.y.defaults]\nsslrootcert = 'system'\n",
    )
    project = load_project(tmp_path)
    assert project.env_files == (tmp_path / ".env", tmp_path / "deploy/.env")
    assert project.dev.bindir == Path("/home/somebody/pg/bin")
    roots = [settings.defaults["sslrootcert"] for settings in project.databases]
    assert roots == [str(tmp_path / "ca.crt"), "system"]


def test_two_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "[tool.howdah.database.app]\n", "pyproject.toml")
    assert refusal(tmp_path, "[database.app]\n").code == "two-configurations"


@pytest.mark.parametrize(
    ("text", "message", "line", "fix"),
    [
        ("[database.x]\n\nmigration = 'a'\n", "there is no key 'migration'", 3, "Did you mean 'migrations'?"),
        ("[databse.x]\n", "there is no key 'databse'", 1, "Did you mean 'database'?"),
        ("[database.x.env]\nhost='A'\ndatabase = 'B'\n", "there is no key 'database'", 3, "Did you mean 'name'?"),
        ("[database.x]\nhistory_table = 'a'\n", "there is no key 'history_table'", 2, "Did you mean 'history-table'?"),
        ("[database.x]\nprotected = 'yes'\n", "expected true or false, found a text", 2, None),
        ("[database.x]\nmigrations = ['a']\n", "expected a name that is not empty, found a list", 2, None),
        ("[dev]\npostgresql = '16'\n", "expected a whole number, found a text", 2, None),
        ("[dev]\nport = 70000\n", "expected a number from 1 to 65535, found 70000", 2, None),
        ("[database]\nmigrations = 'a'\n", "expected a table, found a text", 2, "Write [database.NAME]."),
        ("[database.x.setup]\nextensions = 'vector'\n", "expected a list, found a text", 2, None),
        ("[database.x.setup.role.r]\nlogin = 1\n", "expected true or false, found a number", 2, None),
        (f"{GRANT}privileges = ['SELECT']\n{GRANT}", "the key 'privileges' is missing", 5, None),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_with_its_line(
    tmp_path: Path, text: str, message: str, line: int, fix: str | None
) -> None:
    error = refusal(tmp_path, text)
    assert message in error.message
    assert str(error.where) == f"{tmp_path}/howdah.toml:{line}"
    assert fix is None or error.fix == fix


def test_a_mistake_in_pyproject_is_shown_with_its_line(tmp_path: Path) -> None:
    text = "[project]\nname='x'\n\n[tool.howdah.database.x]\nprotectd = true\n"
    error = refusal(tmp_path, text, "pyproject.toml")
    assert str(error) == f"{tmp_path}/pyproject.toml:5: database.x.protectd: there is no key 'protectd'"


@pytest.mark.parametrize(
    "text",
    [
        "[database.x]\nurl = 'postgresql://u:hunter2@h/d'\n",
        "[database.x]\nurl = 'postgresql://u:hun@ter2hunter2@h/d'\n",
        "[database.x]\nurl = '${URL:-postgresql://u:hunter2@h/d}'\n",
        "[database.x]\nurl = 'postgresql://u:hunter2@h/d?${MORE}'\n",
        "[database.x]\ndirect-url = 'postgresql://u:${PW:-hunter2}@h/d'\n",
        "[database.x]\nurl = 'jdbc:postgresql://h/d?user=u&password=hunter2'\n",
        "[database.x]\nurl = 'host=h password=hunter2'\n",
        "[database.x]\npassword = 'hunter2'\n",
        "[database.x.defaults]\npassword = 'hunter2'\n",
        "[database.x.setup.role.r]\npassword = 'hunter2'\n",
        "[database.x.env]\npassword = 'hunter2!'\n",
    ],
)
def test_a_password_in_the_file_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, text)
    assert error.where
    assert error.where.line == 2
    assert "hunter2" not in f"{error} {error.why} {error.fix}"
    assert "variable" in f"{error} {error.why} {error.fix}"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:${DB_PASSWORD}@h/d",
        "${DATABASE_URL}",
        "postgresql://${USER}:${PW}@${HOST}:${PORT:-5432}/d?sslmode=${MODE}",
        "postgresql://u:${PW}@h/d?${MORE}",
        "postgresql://u@h/d?application_name=a:b@c",
        "host=h password=${DB_PASSWORD} dbname=d",
    ],
)
def test_a_url_without_a_password_is_taken(tmp_path: Path, url: str) -> None:
    write(tmp_path, f"[database.x]\nurl = '{url}'\n")
    assert load_project(tmp_path).databases[0].url == url


def test_a_url_that_makes_no_sense_is_shown_with_its_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, "[database.x]\nurl = 'mysql://h/d'\n")
    assert str(error.where) == f"{tmp_path}/howdah.toml:2"


def test_a_syntax_error_is_shown_with_its_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, "[database.x]\n\nmigrations = \n")
    assert str(error) == f"{tmp_path}/howdah.toml:3: this is not TOML: invalid value"


def test_nothing_is_read_but_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, KAIMU)
    monkeypatch.setattr(os, "environ", {})
    assert load_project(tmp_path).databases[0].name == "kaimu"
