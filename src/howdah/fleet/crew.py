"""Threads that work off a line of jobs, and are interrupted by Ctrl-C as a program of one thread is.

Python raises KeyboardInterrupt in the main thread only. Here it is raised again in each thread that is at a job,
so that everything which stops a run halfway does so in a thread, too: the statement is cancelled on the server, its
transaction rolled back, the lock released.
"""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# After a second Ctrl-C: how long jobs have to end that hear of nothing, in the middle of a call into the driver's C.
_PATIENCE_SECONDS = 5.0


class Job(Protocol):
    """One piece of work."""

    def run(self) -> None:
        """Do it. May be interrupted anywhere; may raise anything."""
        ...

    def end(self, error: BaseException | None) -> None:
        """Called once, behind `run()`, with what that raised; is not interrupted."""
        ...


class Crew:
    """`size` threads, each of which calls `take()` for its next job until that returns None.

    `take()` may wait for other jobs to end; after `stop()` it must return None at once, in each thread.
    """

    def __init__(self, size: int, *, take: Callable[[], Job | None], stop: Callable[[], None]) -> None:
        self._take = take
        self._stop = stop
        self._turn = threading.Lock()
        self._at_work: set[int] = set()  # threads that may be interrupted
        self._failure: BaseException | None = None
        self._interruptions = 0
        self._seats = size
        self._left = size
        self._errands: deque[_Errand] = deque()
        self._bell = threading.Event()  # there is an errand, or all have ended

    def work(self) -> None:
        """Return when all threads have ended. At Ctrl-C, calls `stop()` and interrupts the jobs that are at work.

        Raises:
            BaseException: what `take()` or the `end()` of a job raised, once the others have ended.
        """
        is_pressed = False
        while True:
            try:
                if is_pressed:
                    self._interrupt()
                self._wait()
                break
            except KeyboardInterrupt:
                is_pressed = True
        if self._failure is not None:
            raise self._failure

    def run_in_front(self, function: Callable[[], None]) -> None:
        """Called by a job: run a function in the thread that waits for the crew, where Ctrl-C needs no help.

        For what cannot be interrupted in any other thread: other libraries, in the middle of a call into C.
        """
        with self._turn:
            # The one in front hears it, and how the function took that must arrive here.
            self._at_work.discard(threading.get_ident())
        errand = _Errand(function)
        self._errands.append(errand)
        self._bell.set()
        errand.wait()

    def interrupt(self) -> None:
        """As at Ctrl-C, which somebody has heard already and kept to himself."""
        if not self._interruptions:
            self._interrupt()

    def _wait(self) -> None:
        """Until all have ended; may be broken off anywhere and called again."""
        # One whose start is broken off may never run: it has taken no seat then. Who finds none goes.
        while self._seats:
            threading.Thread(target=self._work, name="howdah fleet", daemon=True).start()
        while self._left:
            self._bell.clear()
            while self._errands:
                self._errands[0].run(is_late=self._interruptions > 0)
                self._errands.popleft()
            is_patient = self._interruptions < 2
            if self._left and not self._bell.wait(None if is_patient else _PATIENCE_SECONDS):
                return

    def _interrupt(self) -> None:
        self._stop()
        with self._turn:
            self._interruptions += 1
            for ident in self._at_work:
                _raise_in(ident, KeyboardInterrupt)

    def _work(self) -> None:
        with self._turn:
            if not self._seats:
                return
            self._seats -= 1
        try:
            while (job := self._take()) is not None:
                job.end(self._run(job))
        except BaseException as error:  # noqa: BLE001 - a mistake of ours: told by the thread that waits
            self._failure = error
            self._stop()
        finally:
            with self._turn:
                self._left -= 1
            self._bell.set()

    def _run(self, job: Job) -> BaseException | None:
        """Run a job and return what it raised. Once this has returned, no interruption is under way any more."""
        ident, error = threading.get_ident(), None
        is_begun = False
        while True:
            try:
                if not is_begun:
                    is_begun = True
                    with self._turn:
                        if self._interruptions:  # between take() and here
                            return KeyboardInterrupt()
                        self._at_work.add(ident)
                    error = _caught(job.run)
                with self._turn:
                    self._at_work.discard(ident)
                    _raise_in(ident, None)
            except KeyboardInterrupt as late:  # it came when the job had ended
                error = error or late.__context__ or late
            else:
                return error


class _Errand:
    """A function that one thread has run by another."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function
        self._error: BaseException | None = None
        self._is_done = threading.Event()

    def run(self, *, is_late: bool) -> None:
        """Run it, unless that is done. May be broken off anywhere, and is called again then."""
        if not self._is_done.is_set():
            self._error = KeyboardInterrupt() if is_late else _caught(self._function)
            self._is_done.set()

    def wait(self) -> None:
        self._is_done.wait()
        if self._error is not None:
            raise self._error


def in_threads(function: Callable[[Item], Answer], items: Iterable[Item], *, size: int) -> list[Answer]:
    """What the function answers for each item, in their order; at most `size` threads call it.

    Raises:
        KeyboardInterrupt: at Ctrl-C, once the calls under way have been broken off.
        BaseException: what the function raised.
    """
    turn, stopped = threading.Lock(), threading.Event()

    def take() -> _Call[Item, Answer] | None:
        with turn:
            return None if stopped.is_set() else next(left, None)

    calls = [_Call(function, item) for item in items]
    left = iter(calls)
    Crew(max(1, min(size, len(calls))), take=take, stop=stopped.set).work()
    if stopped.is_set():
        raise KeyboardInterrupt
    return [call.answers[0] for call in calls]


class _Call(Generic[Item, Answer]):
    """One call of a function."""

    def __init__(self, function: Callable[[Item], Answer], item: Item) -> None:
        self._function = function
        self._item = item
        self.answers: list[Answer] = []

    def run(self) -> None:
        self.answers.append(self._function(self._item))

    def end(self, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, KeyboardInterrupt):
            raise error


def _caught(function: Callable[[], None]) -> BaseException | None:
    try:
        function()
    except BaseException as error:  # noqa: BLE001 - whose job it is knows what to make of it
        return error
    return None


def _raise_in(ident: int, kind: type[BaseException] | None) -> None:
    """Raise an exception in a thread when it comes to its next line of Python; None: none that is still to come."""
    raised = None if kind is None else ctypes.py_object(kind)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), raised)
