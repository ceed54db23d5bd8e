"""`howdah migrate adopt`: from one migration tool to another."""

from __future__ import annotations

import os
import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from howdah.cli.answer import Answer, answers, progress_line
from howdah.cli.options import directory_option, rehearse_option, target_options
from howdah.cli.target import resolve_target

if TYPE_CHECKING:
    from howdah.rehearse.adopt import Adoption


@click.command()
@click.option(
    "--from", "start", metavar="FORMAT", help="The tool that is left; the project's where not given."
)
@click.option(
    "--to", required=True, metavar="FORMAT", help="The tool to go to: dbmate, golang-migrate, goose, sqlx."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A folder for the new files; without it, beside the old one: migrations-goose. Nothing is overwritten.",
)
@click.option(
    "--vouch",
    multiple=True,
    metavar="VERSION",
    help="You know that it was applied, though nothing in the database shows it. May be given again.",
)
@click.option(
    "--allow-drift",
    multiple=True,
    metavar="NAME",
    help="An object in which the database may differ from what its migrations build. May be given again.",
)
@click.option("--apply", is_flag=True, help="Change the database: hand its history over.")
@rehearse_option
@directory_option
@target_options
@answers("migrate adopt")
def adopt(*, start: str | None, to: str, apply: bool, **options: Any) -> Answer:
    """Move to another migration tool.

    Writes the migrations anew as the other tool wants them, into a folder of their own. Runs the old and the new ones
    on a server that is thrown away: they must build the same schema, and it must be the database's. Then it shows what
    becomes of the history, and how to undo it. Only with --apply is the database changed: in one transaction, under
    the locks of both tools. The old files, and the old history under another name, stay.

    \b
    howdah migrate adopt --from golang-migrate --to goose
    howdah migrate adopt --from golang-migrate --to goose --apply
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    from howdah.config.url import parse_url
    from howdah.migrate.discover import directory_of
    from howdah.migrate.migrator import Migrator
    from howdah.rehearse import adopt as library
    from howdah.rehearse.verify import Rehearsal

    target = resolve_target(options["url"], options["config_file"], options["db"])
    migrator = Migrator.of(
        target.settings,
        target.direct or target.database,
        root=target.project.root,
        directory=options["directory"] or directory_of(target.settings, target.project, made_for=to),
        format=start,
        on_event=lambda _: None,
    )
    folder = migrator.directory
    at = parse_url(options["rehearse_url"], origin="--rehearse-url") if options["rehearse_url"] else None
    with progress_line() as progress:
        request = library.AdoptRequest(
            migrator=migrator,
            to=to,
            out=options["out"] or folder.with_name(f"{folder.name}-{to}"),
            vouched=options["vouch"],
            allowed_drift=options["allow_drift"],
            rehearsal=Rehearsal(at=at, on_step=progress.doing),
        )
        done = library.adopt(request) if apply else library.plan_adoption(request)
    return Answer(
        data=adoption_data(done),
        text=adoption_text(done, target.project.root),
        problems=(*target.notes, *done.notes),
        target=migrator.database,
    )


def adoption_text(done: Adoption, root: Path) -> str:
    """What was made and proved, what becomes of the history, and what to do next."""
    request, handover = done.request, done.handover
    start, to = request.migrator.format, request.to
    files = f"{len(done.written)} files written" if done.written else "the files that were there"
    lines = [
        f"files    {request.out} ({files})",
        "proved   the old and the new files build the same schema, and it is the database's",
        *(f"         but for, as allowed: {each}" for each in done.drift),
    ]
    if handover is None:
        return "\n".join([*lines, f"history  there is none of {start} yet: nothing is to be handed over"])
    verb = "handed over" if done.is_done else "will be handed over with --apply"
    lines += [
        f"history  {len(done.applied)} applied migrations {verb}; the old table is kept as {handover.archive.sql}",
        "",
        "run in one transaction, under the locks of both tools:",
        textwrap.indent(handover.script, "  "),
        "to undo it, as long as nothing was applied since:",
        textwrap.indent(handover.undo, "  "),
    ]
    if not done.is_done:
        lines.append(f"next: stop what starts {start}, then say the same again with --apply")
    else:
        named, typed = os.path.relpath(request.out, root), shlex.quote(os.path.relpath(request.out))
        lines += [
            f'next: in howdah.toml, format = "{to}" and migrations = "{named}"; the same in the application',
            f"      howdah migrate status --format {to} --dir {typed}",
        ]
    return "\n".join(lines)


def adoption_data(done: Adoption) -> dict[str, Any]:
    """The JSON of `migrate adopt`."""
    return {
        "from": done.request.migrator.format,
        "to": done.request.to,
        "directory": str(done.request.migrator.directory),
        "out": str(done.request.out),
        "written": [str(each) for each in done.written],
        "applied": [each.version for each in done.applied],
        "drift": [str(each) for each in done.drift],
        "archive": done.handover and done.handover.archive.sql,
        "statements": done.handover and done.handover.script,
        "undo": done.handover and done.handover.undo,
        "done": done.is_done,
    }
