"""Where a live schema is another one than its migrations build. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from howdah.findings import Finding, Severity
from howdah.schema.compare import Difference, compare
from howdah.schema.snapshot import Snapshot

# PostgreSQL words them anew when they are read, and another major version does so in another way.
_WORDED_BY_VERSION = ("view", "materialized view", "rule")


def find_drift(expected: Snapshot, live: Snapshot, *, made: Collection[str]) -> tuple[Difference, ...]:
    """What differs; `made` are the extensions that the migrations create: what else there is, setup made before them.

    Line endings and the versions of extensions are no drift.
    """
    return tuple(
        each
        for each in differences(expected, live)
        if not (each.kind == "extension" and each.before is None and each.name.strip('"') not in made)
    )


def differences(
    before: Snapshot, after: Snapshot, *, ignoring: Collection[str] = ("extension version",)
) -> tuple[Difference, ...]:
    """What differs, line endings aside; of two majors what each words in its own way counts by its name alone."""
    by_name = _WORDED_BY_VERSION if before.major != after.major else ()
    return tuple(
        each
        for each in compare(before, after, ignoring=ignoring, by_name=by_name)
        if not each.is_line_endings
    )


def major_notes(before: Snapshot, after: Snapshot) -> tuple[Finding, ...]:
    """What is to be said where the two are of servers of other majors."""
    if before.major == after.major:
        return ()
    return (
        Finding(
            "other-major",
            f"one side is of PostgreSQL {before.major}, the other of {after.major}: of views and rules only the"
            " names were compared",
            Severity.WARNING,
            why="Each major version words them in its own way.",
            fix=f"Install PostgreSQL {after.major} here, or name a server of that version with --rehearse-url.",
        ),
    )


def version_notes(before: Snapshot, after: Snapshot) -> tuple[Finding, ...]:
    """The extensions that both have, in other versions."""
    old, new = _extension_versions(before), _extension_versions(after)
    return tuple(
        Finding(
            "extension-version",
            f"extension {name} is version {old[name]} on one side, {new[name]} on the other",
            Severity.INFO,
            why="A server makes it in the version that is installed there: no migration says which.",
        )
        for name in sorted(old.keys() & new.keys())
        if old[name] != new[name]
    )


def unsound_notes(live: Snapshot) -> tuple[Finding, ...]:
    """What is there and does not do its work, whoever made it: invalid indexes, constraints that were not checked."""
    return (*_invalid_indexes(live), *_not_valid_constraints(live))


def _extension_versions(snapshot: Snapshot) -> dict[str, str]:
    return {each.name: each.definition for each in snapshot.objects if each.kind == "extension version"}


def _invalid_indexes(live: Snapshot) -> Sequence[Finding]:
    return [
        Finding(
            "invalid-index",
            f"index {each.name} is not valid",
            Severity.WARNING,
            why="A build of it that could not end left it behind: it costs writes, and no query uses it.",
            fix=f"Build it anew: REINDEX INDEX CONCURRENTLY {each.name}; or drop it.",
        )
        for each in live.objects
        if each.kind == "index" and "(invalid)" in each.definition
    ]


def _not_valid_constraints(live: Snapshot) -> Sequence[Finding]:
    return [
        Finding(
            "not-valid-constraint",
            f"constraint {each.name} was never checked for the rows that were there before it",
            Severity.INFO,
            why="It was added NOT VALID: what breaks it may be in the table.",
            fix="ALTER TABLE ... VALIDATE CONSTRAINT checks them, and does not stop the application.",
        )
        for each in live.objects
        if each.kind == "constraint" and each.definition.endswith(("NOT VALID", "NOT VALID (inherited)"))
    ]
