"""What `howdah schema` says: text for people, data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from howdah.cli.render import as_typed
from howdah.errors import Where
from howdah.findings import Finding
from howdah.schema.remedy import loses_rows, meaning, remedies

if TYPE_CHECKING:
    from howdah.config.project import DatabaseSettings, Project
    from howdah.rehearse.live_drift import Drift
    from howdah.rehearse.sides import Compared
    from howdah.rehearse.structure import Checked, Structure
    from howdah.schema.compare import Difference


def structure_data(found: Structure, file: Path | None, *, is_written: bool | None) -> dict[str, Any]:
    """The JSON of `schema dump`."""
    return {
        "file": file and str(file),
        "written": is_written,
        "newest": found.newest,
        "major": found.snapshot.major,
        "fingerprint": found.snapshot.fingerprint,
        "objects": [
            {"kind": each.kind, "parent": each.parent, "name": each.name, "definition": each.definition}
            for each in found.snapshot.objects
        ],
        "sql": found.text if file is None else None,
    }


def checked_text(done: Checked, file: Path) -> str:
    """What is wrong with a file, or that nothing is."""
    if done.is_current:
        return f"{as_typed(file)}: is what the migrations give"
    if not done.differences:
        return f"{as_typed(file)}: names {done.named} as the newest migration, which is {done.newest}"
    return "\n".join(
        [f"{as_typed(file)}: - what the migrations give, + what it says", *map(str, done.differences)]
    )


def checked_data(done: Checked, file: Path) -> dict[str, Any]:
    """The JSON of `schema dump --check`."""
    return {
        "file": str(file),
        "current": done.is_current,
        "newest": done.newest,
        "named": done.named,
        "differences": differences_data(done.differences),
    }


def checked_problems(
    done: Checked, file: Path, settings: DatabaseSettings, project: Project
) -> tuple[Finding, ...]:
    """Notes, and what to do about an outdated file."""
    if done.is_current:
        return done.notes
    several = f" --db {settings.name}" if len(project.databases) > 1 else ""
    target = "--write" if file == settings.schema_file else f"-o {as_typed(file)}"
    return (
        *done.notes,
        Finding(
            "schema-file-outdated",
            "this file is not what the migrations give",
            where=Where(as_typed(file)),
            why="A migration was added or changed after it was written, or it was edited by hand.",
            fix="Migrate the local database, which brings it up to date, or write it anew.",
            next=(f"howdah migrate up{several}", f"howdah schema dump {target}{several}"),
        ),
    )


def compared_text(done: Compared, before: str, after: str) -> str:
    """Each difference of two sides: + only in the second, - only in the first, ~ in both and not the same."""
    if not done.differences:
        return f"{before} and {after}: the same structure"
    return "\n".join([f"- {before}", f"+ {after}", "", *map(str, done.differences)])


def compared_data(done: Compared, before: str, after: str) -> dict[str, Any]:
    """The JSON of `schema diff A B`."""
    return {
        "before": {"name": before, "major": done.before.major, "fingerprint": done.before.fingerprint},
        "after": {"name": after, "major": done.after.major, "fingerprint": done.after.fingerprint},
        "differences": differences_data(done.differences),
    }


def drift_text(found: Drift, target: str) -> str:
    """Each difference of a live database, what it means, and what would bring it back."""
    newest = f"up to {found.newest.version} ({found.newest.name})" if found.newest else "none applied"
    if not found.differences:
        return f"{target}: no drift; it is what its migrations give, {newest}"
    lines = [f"{target} is not what its migrations give ({newest}):", ""]
    for each, statement in remedies(found.differences):
        lines += [f"{str(each)[:1]} {meaning(each)}"]
        lines += [f"    {line}" for line in _details(each)]
        if statement:
            lines.append(f"  back: {_indented(statement)}{_warning(each)}")
    return "\n".join(lines)


def drift_data(found: Drift) -> dict[str, Any]:
    """The JSON of bare `schema diff`."""
    return {
        "newest": found.newest and found.newest.version,
        "differences": [
            {
                **_difference_data(each),
                "meaning": meaning(each),
                "back": statement,
                "loses_rows": loses_rows(each),
            }
            for each, statement in remedies(found.differences)
        ],
    }


def differences_data(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """The JSON of differences."""
    return [_difference_data(each) for each in differences]


def _difference_data(difference: Difference) -> dict[str, Any]:
    return {
        "kind": difference.kind,
        "name": difference.name,
        "before": difference.before,
        "after": difference.after,
    }


def _details(difference: Difference) -> list[str]:
    """What exactly differs, where both sides have it."""
    if difference.before is None or difference.after is None:
        return []
    first, *more = str(difference).split("\n")
    prefix = f"~ {difference.kind} {difference.name}:"
    return (
        [first.removeprefix(prefix).strip(), *(line.strip() for line in more)]
        if not more
        else [line.removeprefix("    ") for line in more]
    )


def _indented(statement: str) -> str:
    return statement.replace("\n", "\n        ")


def _warning(difference: Difference) -> str:
    return "  -- with all that is in it" if loses_rows(difference) else ""
