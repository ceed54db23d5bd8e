"""The file of the structure: of every example, what is written is what the migrations give, and loads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from fix_migrations import WriteMigrations, tables
from fix_server import RunningServer
from howdah.cli.schema_of import chain_of
from howdah.config.project import DatabaseSettings, Project, load_project
from howdah.errors import RefusedError, SourceError
from howdah.migrate.formats import find_format
from howdah.rehearse.replay import replaying, surroundings_of
from howdah.rehearse.structure import check_file, read_structure
from howdah.rehearse.throwaway import throwaway
from howdah.rehearse.verify import Chain, Rehearsal
from howdah.schema.file import write_file
from howdah.server.choice import Need

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
# What only its own tool can run needs that tool here.
_IN_SQL = frozenset(["golang-migrate", "goose", "sqlx", "dbmate", "flyway"])


@dataclass(frozen=True)
class Case:
    project: Project
    settings: DatabaseSettings
    chain: Chain

    def __str__(self) -> str:
        return self.settings.name


def cases() -> list[Case]:
    found = []
    for file in sorted(EXAMPLES.glob("*/howdah.toml")):
        project = load_project(file=file)
        for settings in project.databases:
            if settings.migrations is not None:
                chain = chain_of(settings, project, {"directory": None, "format_name": None})
                if chain.format in _IN_SQL:
                    found.append(Case(project, settings, chain))
    return found


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_dump_of_an_example_is_what_its_migrations_give(case: Case, tmp_path: Path) -> None:
    surroundings = surroundings_of(case.settings.setup)
    need = Need(extensions=case.chain.extensions | set(surroundings.extensions))
    file = tmp_path / "schema.sql"
    with throwaway(need) as server:
        with replaying(server, case.chain.format, case.chain.directory, surroundings=surroundings) as run:
            run.up()
            structure = read_structure(run.database, run.migrator)
        assert write_file(file, structure.text)
        assert not write_file(file, structure.text)
        checked = check_file(
            file, case.chain, rehearsal=Rehearsal(at=server.address), surroundings=surroundings
        )
    assert checked.differences == ()
    assert checked.is_current
    assert "schema_migrations" not in structure.text


@pytest.fixture
def chain(write_migrations: WriteMigrations) -> Chain:
    directory = write_migrations(tables(2))
    return Chain("golang-migrate", find_format("golang-migrate").files.read(directory))


def test_a_file_of_another_tool_counts_by_what_it_builds(
    chain: Chain, server: RunningServer, tmp_path: Path
) -> None:
    file = tmp_path / "structure.sql"
    file.write_text(
        "\\restrict abc\n\nSET search_path = '';\nSELECT pg_catalog.set_config('search_path', '', false);\n"
        "CREATE TABLE public.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);\n"
        "CREATE TABLE public.t2 (id bigint PRIMARY KEY, name text);\n"
        "CREATE TABLE public.t1 (id bigint PRIMARY KEY, name text);\n\\unrestrict abc\n\n"
    )
    assert check_file(file, chain, rehearsal=Rehearsal(at=server.address)).is_current


def test_a_role_that_a_file_names_is_made_on_our_own_server(chain: Chain, tmp_path: Path) -> None:
    file = tmp_path / "structure.sql"
    file.write_text("CREATE TABLE t1 (id bigint);\nGRANT SELECT ON t1 TO somebody_else;\n")
    assert not check_file(file, chain, rehearsal=Rehearsal()).is_current


def test_a_role_is_not_made_on_a_server_of_somebody(
    chain: Chain, server: RunningServer, tmp_path: Path
) -> None:
    file = tmp_path / "structure.sql"
    file.write_text("CREATE TABLE t1 (id bigint);\nGRANT SELECT ON t1 TO somebody_else;\n")
    with pytest.raises(RefusedError, match='role "somebody_else" does not exist'):
        check_file(file, chain, rehearsal=Rehearsal(at=server.address))


def test_a_file_that_is_not_there(chain: Chain, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        check_file(tmp_path / "none.sql", chain, rehearsal=Rehearsal())
