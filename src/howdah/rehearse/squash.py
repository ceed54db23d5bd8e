"""Put one migration in the place of many: what they built, as pg_dump says it, proved by replaying both."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from howdah.errors import RefusedError, SourceError
from howdah.findings import Finding, Severity
from howdah.migrate.convert import Writer, find_writer
from howdah.migrate.formats import find_format
from howdah.migrate.formats.interface import Format
from howdah.migrate.migration import SQUASHED_FOLDER, Migration, Source
from howdah.migrate.plan import unknown_version
from howdah.migrate.portable import Half, Piece, Portable, read_portable
from howdah.pg.statements import shorten
from howdah.rehearse.dump import dump_statements
from howdah.rehearse.replay import Replay, Surroundings
from howdah.rehearse.squash_files import put_in_place, stage
from howdah.rehearse.throwaway import throwaway
from howdah.rehearse.verify import Built, Chain, Rehearsal, finish, refuse_other_build
from howdah.schema.compare import compare, describe
from howdah.schema.snapshot import Snapshot
from howdah.server.choice import Need

_NAME = "squashed"
_DATA_WORDS = frozenset(["INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "COPY", "WITH"])


@dataclass(frozen=True, kw_only=True)
class SquashRequest:
    """What to squash.

    Attributes:
        to: the last of the migrations, whose version the new one has.
        keep_data: put the statements that change rows behind the schema.
        major: of the server in use; None: any.
        extensions: what setup creates before the first migration.
    """

    format: str
    directory: Path
    to: str
    keep_data: bool = False
    major: int | None = None
    extensions: tuple[str, ...] = ()
    rehearsal: Rehearsal = field(default_factory=Rehearsal)


@dataclass(frozen=True)
class Squashed:
    """What was done: the new files, the migrations they stand for, and where those are now.

    Attributes:
        data: statements of theirs that change rows.
        has_down: the new migration can be reverted.
    """

    migration: Migration
    files: tuple[Path, ...]
    replaced: tuple[Migration, ...]
    archive: Path
    data: tuple[str, ...]
    has_down: bool
    notes: tuple[Finding, ...]


@dataclass(frozen=True)
class _Chain:
    """What the original migrations say, and what they built: at the version to squash to, and at the end."""

    portables: tuple[Portable, ...]
    data: tuple[Piece, ...]
    schema: tuple[str, ...]
    snapshot: Snapshot
    rows: Mapping[str, int]
    built: Built


def squash(request: SquashRequest) -> Squashed:
    """Replace the migrations up to `to` by one, and keep them in a folder that the tool does not read.

    Raises:
        UnsupportedError: nothing writes migrations of this format.
        SourceError: there is no such version, or fewer than two migrations.
        RefusedError: they leave rows and `keep_data` is not said; a replay fails; the replays differ.
    """
    tool = find_format(request.format)
    writer = find_writer(tool)
    source = tool.files.read(request.directory)
    replaced = _replaced(tool, source, request.to)
    archive = source.directory / SQUASHED_FOLDER / replaced[-1].version
    _refuse_existing(archive)
    old = Chain(tool.name, source)
    need = Need(request.major, old.extensions | set(request.extensions))
    surroundings = Surroundings(extensions=request.extensions)
    with throwaway(need, at=request.rehearsal.at, environ=request.rehearsal.environ) as server:
        with request.rehearsal.replaying(server, old, surroundings) as run:
            chain = _read_chain(run, tool, replace(source, migrations=replaced))
        _refuse_rows(request, chain)
        has_down = chain.built.reverted is not None and _can_revert(chain.portables)
        files = _new_files(writer, chain, replaced[-1], keep_data=request.keep_data)
        with tempfile.TemporaryDirectory(prefix="howdah-squash-") as name:
            new = stage(tool, source, replaced, files, Path(name))
            with request.rehearsal.replaying(server, new, surroundings) as run:
                _refuse_other(run, chain, replaced[-1].version)
                refuse_other_build(chain.built, finish(run, is_reverted=has_down), old, new)
    written = put_in_place(tool, source, replaced, archive, files)
    squashed = tool.files.read(source.directory).find(replaced[-1].version)
    assert squashed is not None
    return Squashed(
        squashed,
        written,
        replaced,
        archive,
        tuple(each.statement for each in chain.data),
        has_down=_can_revert(chain.portables),
        notes=(*server.notes, *_notes(chain, kept=request.keep_data)),
    )


def _replaced(format: Format, source: Source, to: str) -> tuple[Migration, ...]:
    version = format.files.parse_version(to, source)
    last = source.find(version)
    if last is None:
        raise unknown_version(source, version)
    replaced = source.migrations[: source.migrations.index(last) + 1]
    if len(replaced) < 2:
        raise SourceError(
            f"{version} is the first migration: there is nothing to squash", code="nothing-to-squash"
        )
    return replaced


def _refuse_existing(archive: Path) -> None:
    if archive.exists():
        raise RefusedError(
            f"{archive} is there already",
            code="squashed-already",
            why="Migrations were squashed to this version before, or an earlier run was stopped half-way.",
            fix="See with `git status` what changed; where the run was stopped, `git checkout` the migrations first.",
        )


def _read_chain(run: Replay, format: Format, replaced: Source) -> _Chain:
    portables = tuple(read_portable(format, replaced))
    version = replaced.migrations[-1].version
    run.up(to=version)
    snapshot, rows = run.snapshot(), run.row_counts()
    schema = dump_statements(run.database, leave_out=[run.history_table()])
    pieces = [piece for each in portables for piece in (each.up.pieces if each.up else ())]
    data = tuple(piece for piece in pieces if _changes_rows(piece.statement))
    return _Chain(portables, data, tuple(schema), snapshot, rows, finish(run))


def _changes_rows(statement: str) -> bool:
    return statement.split(None, 1)[0].upper() in _DATA_WORDS


def _refuse_rows(request: SquashRequest, chain: _Chain) -> None:
    """Rows that the migrations leave in an empty database are data that the schema alone does not bring."""
    if not chain.rows or request.keep_data:
        return
    counts = ", ".join(f"{name} ({count})" for name, count in sorted(chain.rows.items()))
    statements = "".join(f"\n{shorten(each.statement, limit=100)}" for each in chain.data)
    raise RefusedError(
        f"the migrations leave rows: {counts}",
        code="squash-loses-rows",
        why=f"The structure alone would not have them. What changes rows:{statements}",
        fix="Keep these statements, in their order behind the structure, with --keep-data.",
    )


def _new_files(writer: Writer, chain: _Chain, last: Migration, *, keep_data: bool) -> Mapping[str, str]:
    """The one migration, as the tool wants it."""
    up = [Piece("\n\n", each) for each in chain.schema]
    if keep_data:
        up += [replace(each, comments="\n", remark="") for each in chain.data]
    down = None
    if _can_revert(chain.portables):
        halves = [each.down for each in reversed(chain.portables) if each.down]
        pieces = [replace(piece, comments="\n", remark="") for half in halves for piece in half.pieces]
        down = Half(tuple(pieces), "\n", is_whole=True)
    migration = replace(last, name=_NAME)
    one = Portable(migration, chain.portables[-1].digits, Half(tuple(up), "\n", is_whole=True), down)
    return writer.write([one])


def _can_revert(portables: Sequence[Portable]) -> bool:
    """Whether all that was squashed can be reverted, in one transaction."""
    return all(each.down is not None and each.down.is_whole for each in portables)


def _refuse_other(run: Replay, chain: _Chain, version: str) -> None:
    """Raise RefusedError where the one migration does not build what the many did."""
    try:
        run.up(to=version)
    except RefusedError as error:
        raise RefusedError(
            f"the one migration cannot run; nothing was changed: {error.__cause__ or error.message}",
            code="squash-differs",
            why="A statement that changes rows may need a table, column or setting that was there only in its time.",
            fix="Squash to an earlier version, or rewrite that migration so that it runs on the structure of the end.",
        ) from error
    found = compare(chain.snapshot, run.snapshot())
    if found or run.row_counts() != chain.rows:
        raise RefusedError(
            "the one migration does not build what the many built; nothing was changed",
            code="squash-differs",
            why=f"Replayed on an empty database (- the many, + the one):\n{describe(found)}"
            if found
            else f"The rows differ: {dict(chain.rows)}, and {dict(run.row_counts())}.",
            fix="Squash to an earlier version, before what differs.",
        )


def _notes(chain: _Chain, *, kept: bool) -> list[Finding]:
    notes = []
    if chain.data and not kept:
        notes.append(
            Finding(
                "data-statements-dropped",
                f"{len(chain.data)} statements that change rows were left out",
                Severity.INFO,
                why="On an empty database they left nothing.",
            )
        )
    if not _can_revert(chain.portables):
        notes.append(
            Finding(
                "missing-down-file",
                f"migration {chain.portables[-1].migration.version} ({_NAME}) has no down half",
                Severity.WARNING,
                why="One of the squashed migrations has none, or one that cannot run in a transaction.",
            )
        )
    elif chain.built.reverted is None:
        notes.append(
            Finding(
                "unproved-down",
                f"nothing proves the down half of migration {chain.portables[-1].migration.version} ({_NAME})",
                Severity.WARNING,
                why="Not every migration of the directory can be reverted, so the replay reverted none.",
                fix="Try it on a copy before it is needed.",
            )
        )
    return notes
