"""`howdah schema dump --all`: a file for each database of the project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from howdah.cli import exit_codes
from howdah.cli.answer import Answer, progress_line
from howdah.cli.fleet_problems import of_databases
from howdah.cli.render import table
from howdah.cli.schema_of import check_one
from howdah.cli.schema_text import checked_data, checked_problems
from howdah.connect.known import as_howdah_error
from howdah.errors import ConfigError
from howdah.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from howdah.config.project import DatabaseSettings, Project

_Done = tuple[dict[str, Any], str, tuple[Finding, ...], bool]
"""Of one database: its data, a word for people, what is to be said, whether all is well."""


def write_all(project: Project, *, privileges: bool) -> Answer:
    """Write the file of every database that has one."""
    from howdah.fleet.inventory import address_of, find_addresses, make_migrator
    from howdah.rehearse.structure import read_structure
    from howdah.schema.file import write_file

    found = find_addresses(project)

    def write(settings: DatabaseSettings, file: Path) -> _Done:
        migrator, address = make_migrator(found[settings.name]), address_of(found[settings.name])
        assert address is not None
        structure = read_structure(address, migrator, privileges=privileges)
        is_written = write_file(file, structure.text)
        data = {"file": str(file), "written": is_written, "newest": structure.newest}
        return data, "written" if is_written else "is current", structure.dump.notes, True

    with progress_line() as progress:
        return _each(project, write, progress.doing)


def check_all(project: Project, options: dict[str, Any]) -> Answer:
    """Check the file of every database that has one."""
    with progress_line() as progress:

        def check(settings: DatabaseSettings, file: Path) -> _Done:
            done = check_one(settings, project, file, options=options, progress=progress)
            word = "is what the migrations give" if done.is_current else "is not what the migrations give"
            return (
                checked_data(done, file),
                word,
                checked_problems(done, file, settings, project),
                done.is_current,
            )

        return _each(project, check, progress.doing)


def _each(
    project: Project, act: Callable[[DatabaseSettings, Path], _Done], tell: Callable[[str], None]
) -> Answer:
    """One after the other; what goes wrong with one hides none of the others."""
    chosen = [(each, each.schema_file) for each in project.databases if each.schema_file]
    if not chosen:
        raise ConfigError(
            "no database of the project names the file of its structure",
            code="no-schema-file",
            fix='Write schema-file = "db/NAME.sql" into each [database.NAME] of howdah.toml.',
        )
    rows, data, problems, codes = [], [], [], [exit_codes.DONE]
    for settings, file in chosen:
        tell(settings.name)
        try:
            entry, word, notes, is_well = act(settings, file)
            code = exit_codes.DONE if is_well else exit_codes.ANSWER_IS_NO
        except Exception as error:
            known = as_howdah_error(error)
            if known is None:
                raise
            entry, word, notes = (
                {"file": str(file), "error": Finding.of(known).as_json()},
                "failed",
                (Finding.of(known),),
            )
            code = exit_codes.exit_code_of(known)
        rows.append((settings.name, str(file), word))
        data.append({"name": settings.name, **entry})
        problems += [(settings.name, each) for each in notes]
        codes.append(code)
    code = exit_codes.gravest(codes)
    return Answer(
        data={"databases": data},
        text=table(("DATABASE", "FILE", ""), rows),
        problems=of_databases(problems, len(chosen)),
        ok=code == exit_codes.DONE,
        exit_code=code,
    )
