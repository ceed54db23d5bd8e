"""Lend this process to env.py as the `alembic` command would, and take it back as it was.

What env.py does is global: it imports, prints, sets logging up, reads variables and the current folder. One at a time,
therefore, whatever the number of threads.
"""

from __future__ import annotations

import asyncio
import logging.config
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import TypeVar

_Answer = TypeVar("_Answer")
_turn = threading.Lock()


@contextmanager
def lent_process(home: Path, imports: Collection[Path], variables: Mapping[str, str]) -> Iterator[None]:
    """Be in `home`, import from `imports`, have just these variables; what is printed goes to stderr.

    Everything is put back. Modules of the project are forgotten: the next project may have others of the same names.
    """
    with (
        _turn,
        chdir(home),
        redirect_stdout(sys.stderr),
        _variables(variables),
        _logging_kept(),
        _imports_from(imports),
    ):
        yield


def away_from_loop(work: Callable[[], _Answer]) -> _Answer:
    """Do it, in a thread of its own where this one runs an event loop: env.py may want to run one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass  # None runs. The work is done outside of here: its errors have nothing to do with this one.
    else:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(work).result()
    return work()


@contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    saved = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(variables)
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


@contextmanager
def _logging_kept() -> Iterator[None]:
    """env.py sets logging up for the `alembic` command; here that is for the program that howdah is part of."""
    saved = logging.config.fileConfig, logging.config.dictConfig
    try:
        logging.config.fileConfig = logging.config.dictConfig = _ignore
        yield
    finally:
        logging.config.fileConfig, logging.config.dictConfig = saved


def _ignore(*_: object, **__: object) -> None:
    pass


@contextmanager
def _imports_from(folders: Collection[Path]) -> Iterator[None]:
    path, known = list(sys.path), set(sys.modules)
    sys.path[:0] = map(str, folders)
    try:
        yield
    finally:
        places = {Path(each).resolve() for each in sys.path if each not in path}
        sys.path[:] = path
        theirs = {name for name in set(sys.modules) - known if _home(name.partition(".")[0]) in places}
        for name in theirs:
            del sys.modules[name]


def _home(name: str) -> Path | None:
    """The folder that a top-level module was imported from."""
    module: ModuleType | None = sys.modules.get(name)
    inside = next(iter(getattr(module, "__path__", ())), None)
    file = inside or getattr(module, "__file__", None)
    return Path(file).resolve().parent if file else None
