from __future__ import annotations

import os
from pathlib import Path

import pytest

from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings, SetupSettings
from howdah.errors import RefusedError
from howdah.pg.programs import Programs, server_account
from howdah.provision.apply import SetupIncomplete, apply_setup, read_plan
from howdah.provision.extensions import preload_libraries
from howdah.provision.request import SetupRequest
from howdah.server.local import LocalServer
from integration.provision.conftest import Place


def codes_of(request: SetupRequest) -> list[str]:
    with pytest.raises(SetupIncomplete) as raised:
        apply_setup(request)
    return [problem.code for problem in raised.value.result.problems]


def test_an_extension_the_host_does_not_have_is_said_so(place: Place) -> None:
    request = place.request(place.address(), SetupSettings(extensions=("no-such-thing", "pg_trgm")))
    assert codes_of(request) == ["extension-not-installed"]
    assert place.value(
        "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'", database=request.database
    )


def test_an_extension_brings_the_ones_it_requires(place: Place) -> None:
    request = place.request(place.address(), SetupSettings(extensions=("earthdistance",)))
    assert apply_setup(request).is_complete
    assert not read_plan(request).pending


def test_an_extension_without_its_library_loaded_is_made_and_told(place: Place) -> None:
    request = place.request(place.address(), SetupSettings(extensions=("pg_stat_statements",)))
    assert codes_of(request) == ["extension-not-preloaded"]
    (step,) = read_plan(request).blocked
    assert step.blocked is not None
    assert step.blocked.statement == "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'"


def test_an_unusable_pg_stat_statements_is_noticed_without_reading_the_setting(place: Place) -> None:
    request = place.request(place.address(), SetupSettings(extensions=("pg_stat_statements",)))
    codes_of(request)
    own = SetupRequest(request.settings, request.address, environ={})
    (step,) = read_plan(own).blocked
    assert step.blocked is not None
    assert step.blocked.code == "extension-not-preloaded"


def test_an_older_version_is_updated_when_the_project_wants_a_newer(place: Place) -> None:
    address = place.address()
    apply_setup(place.request(address))
    place.run("CREATE EXTENSION hstore VERSION '1.4'", database=address.database)
    (there,) = read_plan(place.request(address, SetupSettings(extensions=("hstore",)))).steps[-1:]
    assert "is offered" in there.note
    request = place.request(address, SetupSettings(extensions=("hstore >= 1.5",)))
    assert [step.change.says[:9] for step in apply_setup(request).done] == ["update to"]
    too_new = place.request(address, SetupSettings(extensions=("hstore >= 99.1",)))
    assert codes_of(too_new) == ["extension-too-old"]


def test_a_name_with_a_dash_is_quoted(server: RunningServer, place: Place) -> None:
    request = place.request(place.address(), SetupSettings(extensions=("uuid-ossp",)))
    offered = place.value("SELECT count(*) FROM pg_available_extensions WHERE name = 'uuid-ossp'")
    if not offered:
        assert codes_of(request) == ["extension-not-installed"]
        return
    plan = read_plan(request)
    assert [s.change.sql for s in plan.steps][-1] == 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp"'


def test_libraries_to_preload_are_known_by_extension() -> None:
    assert preload_libraries(("uuid-ossp", "pg_stat_statements", "pg_cron")) == (
        "pg_cron",
        "pg_stat_statements",
    )


def test_a_replica_is_refused(pg_programs: Programs, open_path: Path) -> None:
    standby = LocalServer(open_path / "standby", pg_programs, settings={"fsync": "off"})
    try:
        standby.start()
        standby.stop()
        signal = standby.data / "standby.signal"
        signal.touch()
        if account := server_account():
            os.chown(signal, account.uid, account.gid)
        standby.start()
        request = SetupRequest(
            DatabaseSettings(name="x", setup=SetupSettings()),
            DatabaseConfig(host="127.0.0.1", user="app", database="app"),
            standby.address,
            environ={},
        )
        with connect(standby.address) as session:
            assert session.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        with pytest.raises(RefusedError) as raised:
            read_plan(request)
        assert raised.value.code == "read-only-server"
    finally:
        standby.destroy()
