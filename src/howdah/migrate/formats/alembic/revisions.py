"""Alembic's revisions as their files declare them. Nothing of them is run.

Sources: sqlalchemy/alembic script/base.py (which files count), script/revision.py (what the names mean).
"""

from __future__ import annotations

import ast
import heapq
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from howdah.errors import SourceError, Where
from howdah.migrate.formats.alembic.places import Places
from howdah.migrate.formats.files import Refuse, raise_at_once

_FILE = re.compile(r"(?!\.#|__init__)(.*\.py)$")
# A name that is the id itself, from before Alembic 0.2.
_OLD_NAME = re.compile(r"([a-f0-9]+)\.py$")
_DECLARED = ("revision", "down_revision", "depends_on", "branch_labels")
_ILLEGAL = frozenset("@-+:")


@dataclass(frozen=True)
class Revision:
    """What a file declares; `words` are the first line of its docstring, or what its name says."""

    id: str
    down: tuple[str, ...]
    depends_on: tuple[str, ...]
    labels: tuple[str, ...]
    words: str
    file: Path
    line: int
    goes_down: bool


def read_revisions(places: Places, *, refuse: Refuse = raise_at_once) -> list[Revision]:
    """The revisions of an environment, each after all that it builds upon; a given set has one order.

    `depends_on` is in ids: labels are resolved.

    Raises:
        SourceError: a file declares what cannot be read or not be; two declare one id; a revision builds upon
            one that no file has, or upon itself.
    """
    found: dict[str, Revision] = {}
    for file in _list_files(places):
        try:
            revision = _read(file)
        except SourceError as error:
            refuse(error)
            continue
        if revision.id in found:
            refuse(_duplicate(found[revision.id], revision))
            continue
        found[revision.id] = revision
    return _in_order(_resolve_labels(found))


def heads(revisions: Iterable[Revision]) -> list[Revision]:
    """Those that no other revision builds upon as its next one, in their order."""
    listed = list(revisions)
    below = {parent for each in listed for parent in each.down}
    return [each for each in listed if each.id not in below]


def _list_files(places: Places) -> Iterator[Path]:
    seen = set()
    for folder in places.versions:
        if not folder.is_dir():
            continue
        for root, folders, names in os.walk(folder):
            if os.path.basename(root).endswith("__pycache__"):  # noqa: PTH119 - of a str, for each folder
                continue
            for name in sorted(names):
                path = Path(root, name)
                if _FILE.match(name) and (real := path.resolve()) not in seen:
                    seen.add(real)
                    yield path
                elif places.sourceless and name.endswith((".pyc", ".pyo")):
                    _refuse_compiled(path)
            folders.sort()
            if not places.recursive:
                break


def _read(file: Path) -> Revision:
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        raise SourceError(
            f"this is not Python: {error.msg if isinstance(error, SyntaxError) else error}",
            code="unreadable-revision",
            where=Where(str(file), line),
        ) from None
    declared = dict(_declarations(tree, file))
    name, line = declared.get("revision", (None, 1))
    if "revision" not in declared and (old := _OLD_NAME.match(file.name)):
        name = old[1]
    if not isinstance(name, str) or not name or _ILLEGAL & set(name):
        raise _bad_id(file, line, name)
    return Revision(
        id=name,
        down=_names(declared, "down_revision", file),
        depends_on=_names(declared, "depends_on", file),
        labels=_names(declared, "branch_labels", file),
        words=_words(tree, file, name),
        file=file,
        line=line,
        goes_down="downgrade" in _bound(tree),
    )


def _bound(tree: ast.Module) -> Iterator[str]:
    """The names that a file's own lines define."""
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (each.id for each in targets if isinstance(each, ast.Name))
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (each.asname or each.name for each in aliases)


def _declarations(tree: ast.Module, file: Path) -> Iterator[tuple[str, tuple[Any, int]]]:
    """Name -> (value, line) of what stands at the top of the file, where its value can be read."""
    known: dict[str, Any] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            targets: Sequence[ast.expr] = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        else:
            continue
        assert statement.value is not None
        for target in targets:
            if not isinstance(target, ast.Name):
                continue
            try:
                value = _value(statement.value, known)
            except ValueError:
                if target.id in _DECLARED:
                    raise _computed(file, statement.lineno, target.id) from None
                continue
            known[target.id] = value
            if target.id in _DECLARED:
                yield target.id, (value, statement.lineno)


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_value(each, known) for each in node.elts)
    return ast.literal_eval(node)


def _names(declared: Mapping[str, tuple[Any, int]], name: str, file: Path) -> tuple[str, ...]:
    value, line = declared.get(name, (None, 1))
    if value is None:
        return ()
    values = (value,) if isinstance(value, str) else value
    if not isinstance(values, tuple | list | set | frozenset) or not all(
        isinstance(each, str) for each in values
    ):
        raise _computed(file, line, name)
    return tuple(values)


def _words(tree: ast.Module, file: Path, name: str) -> str:
    docstring = (ast.get_docstring(tree) or "").strip()
    if docstring:
        return docstring.splitlines()[0].strip()
    return file.stem.replace(name, "").strip("_-") or file.stem


def _resolve_labels(found: Mapping[str, Revision]) -> dict[str, Revision]:
    labels: dict[str, Revision] = {}
    for each in found.values():
        for label in each.labels:
            if label in found or label in labels:
                raise SourceError(
                    f"the branch label '{label}' is taken",
                    code="duplicate-migration",
                    where=Where(str(each.file), each.line),
                    why=f"{(labels.get(label) or found[label]).file} has it, too.",
                )
            labels[label] = each
    result = {}
    for each in found.values():
        ids = tuple(labels[name].id if name in labels else name for name in each.depends_on)
        for name in (*each.down, *ids):
            if name not in found:
                raise _unknown(each, name)
        result[each.id] = replace(each, depends_on=ids)
    return result


def _in_order(found: Mapping[str, Revision]) -> list[Revision]:
    """Kahn's order; among those that may come next, the one by the smallest id."""
    waits = {name: set(each.down) | set(each.depends_on) for name, each in found.items()}
    next_ones: dict[str, list[str]] = {}
    for name, parents in waits.items():
        for parent in parents:
            next_ones.setdefault(parent, []).append(name)
    ready = [name for name, parents in waits.items() if not parents]
    heapq.heapify(ready)
    ordered = []
    while ready:
        name = heapq.heappop(ready)
        ordered.append(found[name])
        for child in next_ones.get(name, ()):
            waits[child].discard(name)
            if not waits[child]:
                heapq.heappush(ready, child)
    if len(ordered) < len(found):
        raise _cycle({name: parents for name, parents in waits.items() if parents}, found)
    return ordered


def _cycle(waits: Mapping[str, set[str]], found: Mapping[str, Revision]) -> SourceError:
    path = [min(waits)]
    while path[-1] not in path[:-1]:
        path.append(min(each for each in waits[path[-1]] if each in waits))
    ring = path[path.index(path[-1]) :]
    first = found[ring[0]]
    return SourceError(
        f"revisions build upon each other in a ring: {' -> '.join(ring)}",
        code="revision-cycle",
        where=Where(str(first.file), first.line),
        fix="Correct `down_revision` or `depends_on` of one of them.",
    )


def _duplicate(first: Revision, second: Revision) -> SourceError:
    return SourceError(
        f"two files are revision {second.id}: {first.file.name} and {second.file.name}",
        code="duplicate-migration",
        where=Where(str(second.file), second.line),
        why="Alembic warns and takes the one that it reads last: the other never runs.",
        fix="Give one of them another id, or delete the copy.",
    )


def _unknown(revision: Revision, name: str) -> SourceError:
    return SourceError(
        f"revision {revision.id} builds upon {name}, which no file has",
        code="unknown-revision",
        where=Where(str(revision.file), revision.line),
        why="Alembic cannot read such a folder at all.",
        fix="Bring the file back, or correct `down_revision` and `depends_on`.",
    )


def _bad_id(file: Path, line: int, name: object) -> SourceError:
    return SourceError(
        "this file declares no `revision`" if name is None else f"this is no id of a revision: {name!r}",
        code="unreadable-revision",
        where=Where(str(file), line),
        why="Alembic takes every .py file of this folder for a revision."
        if name is None
        else "An id is a text without @, -, + and :.",
        fix='Move the file elsewhere, or declare `revision = "..."` in it.' if name is None else None,
    )


def _computed(file: Path, line: int, name: str) -> SourceError:
    return SourceError(
        f"`{name}` is not a plain text, list of texts or None",
        code="unreadable-revision",
        where=Where(str(file), line),
        why="Revisions are read without running them, so their order must be written down, not computed.",
        fix=f"Write the value of `{name}` itself.",
    )


def _refuse_compiled(path: Path) -> None:
    if path.parent.name == "__pycache__" or path.with_suffix(".py").exists():
        return
    raise SourceError(
        "a compiled revision without its source cannot be read",
        code="unreadable-revision",
        where=Where(str(path)),
        why="The configuration says `sourceless = true`; revisions are read without running them.",
        fix="Ship the .py files.",
    )
