"""By which names and password the application reaches its local database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import DatabaseSettings, Project, RoleSettings, SetupSettings
from howdah.dev.names import elsewhere, is_local, wanted_names

SETTINGS = DatabaseSettings(
    "shop",
    env={"host": "SHOP_HOST", "port": "SHOP_PORT", "user": "SHOP_USER", "password": "SHOP_PASSWORD"},
    setup=SetupSettings(owner="keeper", roles=(RoleSettings("reader", password_env="READER_PASSWORD"),)),
)
LOCAL = DatabaseConfig(host="127.0.0.1", port="20001", database="shop", user="keeper")


def project(root: Path, settings: DatabaseSettings = SETTINGS) -> Project:
    return Project(root, file=root / "howdah.toml", databases=(settings,), env_files=(root / ".env",))


def test_without_variables_the_setup_decides(tmp_path: Path) -> None:
    wanted = wanted_names(project(tmp_path), SETTINGS, {})
    assert (wanted.database, wanted.user, wanted.password) == ("shop", "keeper", None)


def test_without_anything_the_superuser_is_used(tmp_path: Path) -> None:
    settings = DatabaseSettings("shop")
    wanted = wanted_names(project(tmp_path, settings), settings, {})
    assert (wanted.database, wanted.user) == ("shop", "postgres")


def test_variables_of_this_machine_are_taken_with_their_passwords(tmp_path: Path) -> None:
    environ = {"SHOP_HOST": "localhost", "SHOP_USER": "ada", "SHOP_PASSWORD": "p", "READER_PASSWORD": "r"}
    wanted = wanted_names(project(tmp_path), SETTINGS, environ)
    assert (wanted.user, wanted.password) == ("ada", Secret("p"))
    assert wanted.passwords == {"READER_PASSWORD": "r"}


def test_the_env_file_counts_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "SHOP_HOST=localhost\nSHOP_PASSWORD=file\nREADER_PASSWORD=file\n", encoding="utf-8"
    )
    wanted = wanted_names(project(tmp_path), SETTINGS, {"READER_PASSWORD": "environment"})
    assert wanted.password == Secret("file")
    assert wanted.passwords == {"READER_PASSWORD": "environment"}


def test_of_two_env_files_the_later_one_wins(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("SHOP_HOST=localhost\nREADER_PASSWORD=first\n", encoding="utf-8")
    (tmp_path / "b.env").write_text("READER_PASSWORD=second\n", encoding="utf-8")
    both = replace(project(tmp_path), env_files=(tmp_path / "a.env", tmp_path / "b.env"))
    assert wanted_names(both, SETTINGS, {}).passwords == {"READER_PASSWORD": "second"}


def test_passwords_of_another_machine_stay_there(tmp_path: Path) -> None:
    environ = {"SHOP_HOST": "db.example.test", "SHOP_PASSWORD": "secret", "READER_PASSWORD": "secret"}
    wanted = wanted_names(project(tmp_path), SETTINGS, environ)
    assert wanted.password is None
    assert wanted.passwords == {}
    assert "secret" not in repr(wanted)


def test_variables_that_lead_elsewhere_are_reported(tmp_path: Path) -> None:
    for environ in ({"SHOP_HOST": "db.example.test"}, {"SHOP_HOST": "localhost", "SHOP_PORT": "5432"}):
        finding = elsewhere(project(tmp_path), SETTINGS, LOCAL, environ)
        assert finding
        assert finding.code == "variables-lead-elsewhere"


def test_variables_that_lead_to_the_local_server_are_fine(tmp_path: Path) -> None:
    for environ in ({}, {"SHOP_HOST": "localhost", "SHOP_PORT": "20001"}):
        assert elsewhere(project(tmp_path), SETTINGS, LOCAL, environ) is None


def test_sockets_and_loopback_are_this_machine() -> None:
    assert is_local(DatabaseConfig(host="/var/run/postgresql"))
    assert is_local(DatabaseConfig())
    assert not is_local(DatabaseConfig(host="localhost,db.example.test"))
