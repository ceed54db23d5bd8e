"""`howdah migrate repair`: take edited files for what was applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from howdah.cli.answer import Answer, answers
from howdah.cli.migrate_options import migration_options, migrator_of

if TYPE_CHECKING:
    from howdah.migrate.repair import EditedFile


@click.command()
@migration_options
@click.option(
    "--accept",
    multiple=True,
    metavar="VERSION",
    help="Take this one though its statements changed: the database has what they do by now. May be given again.",
)
@click.option("--dry-run", is_flag=True, help="Only show what is edited.")
@answers("migrate repair")
def repair(*, accept: tuple[str, ...], dry_run: bool, **options: Any) -> Answer:
    """Put the checksums of edited files right.

    A file whose comments, white space or line ends changed says the same as when it was applied: its new checksum is
    taken, so that sqlx, Flyway and Prisma go on. Where the statements changed, the difference is shown, and nothing is
    taken unless --accept names the version. No migration is run.

    \b
    howdah migrate repair --dry-run
    howdah migrate repair
    howdah migrate repair --accept 7
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    target, migrator = migrator_of(options)
    found = migrator.repair(accept=accept, dry_run=dry_run)
    return Answer(
        data=_data(found, dry_run=dry_run),
        text=_text(found, dry_run=dry_run),
        problems=target.notes,
        ok=all(each.is_accepted for each in found),
        target=migrator.database,
    )


def _data(found: Sequence[EditedFile], *, dry_run: bool) -> dict[str, Any]:
    return {
        "edited": [
            {
                "version": each.migration.version,
                "file": str(each.file),
                "change": each.change.value,
                "diff": None if each.diff is None else list(each.diff),
                "repaired": each.is_accepted and not dry_run,
            }
            for each in found
        ]
    }


def _text(found: Sequence[EditedFile], *, dry_run: bool) -> str:
    if not found:
        return "no applied migration is edited"
    return "\n".join(line for each in found for line in _lines(each, dry_run=dry_run))


def _lines(each: EditedFile, *, dry_run: bool) -> list[str]:
    version = each.migration.version
    if each.is_accepted:
        how = "its checksum would be taken" if dry_run else "its new checksum is taken"
    else:
        how = f"left as it is; `howdah migrate repair --accept {version}` takes it"
    diff = ["  what was applied is not known"] if each.diff is None else [f"  {line}" for line in each.diff]
    return [f"{version} {each.change.value}: {each.file}", *diff, f"  {how}"]
