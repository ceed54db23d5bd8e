"""`howdah schema stats`: how large and busy the tables are, for `check --stats`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from howdah.cli.answer import Answer, answers, progress_line
from howdah.cli.options import target_options
from howdah.cli.render import table
from howdah.cli.target import resolve_target
from howdah.findings import Finding, Severity

if TYPE_CHECKING:
    from howdah.observe.sizes import Stats

_SHOWN = 10


@click.command()
@target_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it to this file.")
@answers("schema stats")
def stats(*, url: str | None, config_file: str | None, db: str | None, output: Path | None) -> Answer:
    """Write how large and how busy each table is: sizes and counters, no row and no value of one.

    From production, or a replica of it, by any role that may connect. `howdah check --stats FILE` weighs by it what
    migrations do: a rewrite of a tiny table is over at once, of a large one it says how long it takes.

    \b
    howdah schema stats --url postgresql://reader@db.example.test/app -o stats.json
    howdah check --stats stats.json
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    from howdah.connect.session import open_session
    from howdah.observe.read_sizes import read_stats
    from howdah.observe.sizes import save_stats

    target = resolve_target(url, config_file, db)
    database = target.direct or target.database
    with progress_line() as progress:
        progress.doing(f"reading {database.target}")
        with open_session(database, application_name="howdah stats") as session:
            found = read_stats(session)
    text = save_stats(found)
    if output is not None:
        output.write_text(text, encoding="utf-8")
    return Answer(
        data={"file": output and str(output), "stats": json.loads(text)},
        text=text if output is None else _summary(found, output),
        problems=(*target.notes, *notes_on(found)),
        target=database,
    )


def _summary(found: Stats, file: Path) -> str:
    from howdah.observe.amounts import say_bytes, say_count

    largest = sorted(found.tables, key=lambda each: (-each.bytes, each.name))[:_SHOWN]
    rows = [(each.name, say_count(each.rows), say_bytes(each.bytes)) for each in largest]
    left = len(found.tables) - len(rows)
    lines = [table(("TABLE", "ROWS", "SIZE"), rows)] if rows else []
    lines += [f"and {left} more"] if left else []
    return "\n".join([*lines, f"{file}: written, {say_bytes(found.bytes)} in all"])


def notes_on(found: Stats) -> tuple[Finding, ...]:
    """What the numbers do not say."""
    notes = []
    guessed = [each.name for each in found.tables if each.rows_are_guessed]
    if guessed:
        shown = ", ".join(guessed[:3]) + (f" and {len(guessed) - 3} more" if len(guessed) > 3 else "")
        notes.append(
            Finding(
                "guessed-rows",
                f"never analysed, so the number of rows is told by the bytes: {shown}",
                Severity.INFO,
                fix="ANALYZE counts them.",
            )
        )
    if found.is_replica:
        notes.append(
            Finding(
                "stats-of-a-replica",
                "the reads are those of this replica, and writes are not counted here",
                Severity.INFO,
                fix="Ask the primary, to know how many statements would wait.",
            )
        )
    elif found.counted_seconds is None:
        notes.append(
            Finding(
                "unknown-traffic",
                "nothing says since when reads and writes are counted",
                Severity.INFO,
                why="The statistics were never reset, and this role may not see how old the database is.",
                fix="Ask as a superuser or with pg_read_server_files, to know how many statements would wait.",
            )
        )
    return tuple(notes)
