"""What is said of a change to migrations that are released: the findings, one function for each."""

from __future__ import annotations

import ast
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from howdah.check.base import Base
from howdah.check.report import RuleFinding
from howdah.errors import Where
from howdah.findings import Finding, Severity
from howdah.migrate.checksums import Content, read_content
from howdah.migrate.formats.interface import Format, Keeps, OutOfOrder
from howdah.migrate.migration import Direction, Migration, Source
from howdah.observe.verdict import Verdict

# Compares the words of a file's name with those in its history, and stops where they differ.
_COMPARES_WORDS = frozenset({"flyway"})


def taken(base: Base, ours: Migration, theirs: Migration) -> RuleFinding:
    """Two branches gave one version to two migrations."""
    return _found(
        "taken-version",
        f"version {ours.version} is taken: {base.name} has {theirs.path.name}",
        Verdict.FAILS,
        where=ours.where,
        why="It was merged since this branch began. A database that has run the other one takes this one for applied.",
        fix=f"Give this one a version above the newest of {base.name}.",
    )


def late(
    format: Format, base: Base, migration: Migration, newest: str, policy: OutOfOrder | None
) -> RuleFinding:
    """A new migration with a version below a released one."""
    what = policy or format.table.out_of_order
    told = {
        OutOfOrder.APPLY: "`up` runs it late: elsewhere it runs before the newer ones.",
        OutOfOrder.REFUSE: "`up` stops at it in every database that has run the newer one.",
        OutOfOrder.SKIP: f"A database that has run the newer one never runs it: {format.name} does not look back.",
    }
    return _found(
        "out-of-order-migration",
        f"migration {migration.version} is new, and older than {newest} of {base.name}",
        Verdict.SAFE if what is OutOfOrder.APPLY else Verdict.FAILS,
        severity=Severity.WARNING if what is OutOfOrder.APPLY else Severity.ERROR,
        where=migration.where,
        why=told[what],
        fix=f"Give it a version above {newest}.",
    )


def removed(format: Format, base: Base, before: Migration, source: Source, *, is_newest: bool) -> RuleFinding:
    """A released migration without a file."""
    keeps = format.table.keeps
    stops = format.table.refuses_changes or keeps is Keeps.HEADS or (keeps is Keeps.NUMBER and is_newest)
    return _found(
        "missing-migration",
        f"migration {before.version} ({before.name}) is released with {base.name} and has no file here",
        Verdict.FAILS if stops else Verdict.BREAKING,
        where=Where(str(source.directory)),
        why=f"{format.name} stops where it is applied and has no file."
        if stops
        else "Databases that ran it have what a new one will not get, and nothing says how to revert it.",
        fix="Bring the file back; undo what it does with a new migration.",
    )


def renumbered(base: Base, before: Migration, now: Migration, *, is_allowed: bool) -> RuleFinding:
    """The same statements under another version."""
    return _found(
        "renumbered-migration",
        f"migration {now.version} ({now.name}) is {before.version} of {base.name} under another version",
        Verdict.SAFE if is_allowed else Verdict.FAILS,
        severity=Severity.INFO if is_allowed else Severity.ERROR,
        where=now.where,
        why=f"A database that has run {before.version} would run the same again, and fail or do it twice.",
        fix=None
        if is_allowed
        else f"Put back version {before.version}; or say --allow-renumbering, where no database that matters ran it.",
    )


def renamed(format: Format, base: Base, before: Migration, now: Migration) -> RuleFinding:
    """The same version in a file of another name."""
    stops = format.name in _COMPARES_WORDS and before.name != now.name
    return _found(
        "renamed-migration",
        f"migration {now.version} is called {before.path.name} in {base.name}",
        Verdict.FAILS if stops else Verdict.SAFE,
        severity=Severity.ERROR if stops else Severity.INFO,
        where=now.where,
        why=f"{format.name} keeps the words of the name, and stops where they differ."
        if stops
        else f"To {format.name} it is the same migration.",
        fix="Put the name back." if stops else None,
    )


def parents(base: Base, before: Migration, now: Migration) -> RuleFinding:
    """A released revision builds upon others than before."""
    return _found(
        "changed-parents",
        f"revision {now.version} builds upon {', '.join(now.parents) or 'nothing'};"
        f" in {base.name} upon {', '.join(before.parents) or 'nothing'}",
        Verdict.FAILS,
        where=now.where,
        why="A database that has this revision counts as having all below it: what was put there never runs in it.",
        fix="Put `down_revision` back, and add what is new above the newest revision.",
    )


def diverging(base: Base, ours: Sequence[Migration], heads: Sequence[str]) -> RuleFinding:
    """Together with the base's there are several newest revisions."""
    return _found(
        "several-heads",
        f"together with {base.name} there are {len(heads)} newest revisions: {', '.join(heads)}",
        Verdict.FAILS,
        where=ours[-1].where,
        why="Both branches went on from the same revision; after the merge `alembic upgrade head` refuses.",
        fix=f"Merge {base.name}, and let `down_revision` of the new one name its newest revision.",
    )


def edited(
    format: Format, base: Base, now: Migration, direction: Direction, *, before: Path, file: Path
) -> RuleFinding | None:
    """One way of a released migration says something else than before; None: not this way."""
    one, two = (read_content(format.files, each, direction) for each in (before, file))
    is_same = one.checksum == two.checksum or _says_the_same(one, two)
    if direction is Direction.DOWN:
        return None if is_same else _edited_down(base, now, file)
    old_checksum, new_checksum = (format.files.checksum(each.read_bytes()) for each in (before, file))
    stops = old_checksum != new_checksum and format.table.refuses_changes
    if one.checksum == two.checksum and not stops:
        return None
    why = _checksum_told(format, stops=stops, keeps=old_checksum is not None, is_same=is_same)
    restore = (_restore(base, file),)
    if is_same:
        return _found(
            "reformatted-migration",
            f"comments or white space of migration {now.version} changed since {base.name}",
            Verdict.FAILS if stops else Verdict.SAFE,
            severity=Severity.ERROR if stops else Severity.INFO,
            where=Where(str(file)),
            why=why,
            fix="Put the file back as it was." if stops else None,
            next=restore if stops else (),
        )
    return _found(
        "modified-migration",
        f"the statements of migration {now.version} changed since {base.name}",
        Verdict.FAILS if stops else Verdict.BREAKING,
        where=Where(str(file)),
        why=why,
        fix="Put the file back, and write the change as a new migration.",
        next=restore,
    )


def _edited_down(base: Base, now: Migration, file: Path) -> RuleFinding:
    return _found(
        "modified-migration",
        f"the way down of migration {now.version} changed since {base.name}",
        Verdict.SAFE,
        severity=Severity.INFO,
        where=Where(str(file)),
        why="What is applied stays as it is; it is reverted in another way from now on.",
    )


def is_empty(content: Content) -> bool:
    """There is no statement in it."""
    return not content.is_foreign and content.normal_checksum == Content.of(b"").normal_checksum


def _checksum_told(format: Format, *, stops: bool, keeps: bool, is_same: bool) -> str:
    if stops:
        return f"{format.name} keeps a checksum of the file, and stops where it is applied with another one."
    kept = (
        f"{format.name} keeps a checksum, and does not compare it when it deploys."
        if keeps
        else f"{format.name} keeps no checksum and does not notice."
    )
    if is_same:
        return f"The statements are the same. {kept}"
    return f"Databases that ran it keep what it said before, a new one gets what it says now. {kept}"


def _says_the_same(one: Content, two: Content) -> bool:
    if one.is_foreign:
        return _python(one) == _python(two)
    return one.normal_checksum is not None and one.normal_checksum == two.normal_checksum


def _python(content: Content) -> str | bytes | None:
    """What a revision in Python says, without its comments and docstring; other programs by their lines."""
    try:
        tree = ast.parse(content.text or "")
    except (SyntaxError, ValueError):
        return content.normal_checksum
    if ast.get_docstring(tree, clean=False) is not None:
        del tree.body[0]
    return ast.dump(tree)


def _restore(base: Base, file: Path) -> str:
    return f"git checkout {shlex.quote(base.name)} -- {shlex.quote(os.path.relpath(file))}"


def _found(
    code: str,
    message: str,
    verdict: Verdict,
    *,
    severity: Severity = Severity.ERROR,
    where: Where,
    why: str | None = None,
    fix: str | None = None,
    next: tuple[str, ...] = (),
) -> RuleFinding:
    return RuleFinding(Finding(code, message, severity, where=where, why=why, fix=fix, next=next), verdict)
