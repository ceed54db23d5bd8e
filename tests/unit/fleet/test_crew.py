"""Threads that are interrupted as the main thread is."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from howdah.fleet.crew import Crew, Job


class Work:
    """A job made of a function."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function
        self.ends: list[BaseException | None] = []

    def run(self) -> None:
        self._function()

    def end(self, error: BaseException | None) -> None:
        self.ends.append(error)


def work_off(size: int, jobs: list[Work]) -> None:
    left: Iterator[Job] = iter(jobs)
    turn, stopped = threading.Lock(), threading.Event()

    def take() -> Job | None:
        with turn:
            return None if stopped.is_set() else next(left, None)

    Crew(size, take=take, stop=stopped.set).work()


def spin() -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(0.01)


def press_ctrl_c(after_seconds: float) -> None:
    threading.Timer(after_seconds, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_every_job_ends_with_what_it_raised() -> None:
    def fail() -> None:
        raise ValueError("no")

    jobs = [Work(lambda: None), Work(fail), Work(lambda: None)]
    work_off(2, jobs)
    assert [[type(each) for each in job.ends] for job in jobs] == [[type(None)], [ValueError], [type(None)]]


def test_ctrl_c_interrupts_what_runs_and_starts_no_more() -> None:
    jobs = [Work(spin) for _ in range(5)]
    press_ctrl_c(0.2)
    started = time.monotonic()
    work_off(2, jobs)
    assert time.monotonic() - started < 5
    assert [[type(each) for each in job.ends] for job in jobs] == [[KeyboardInterrupt]] * 2 + [[]] * 3


def test_a_job_that_takes_the_interruption_as_its_own_error_ends_with_that() -> None:
    def cancel() -> None:
        try:
            spin()
        except KeyboardInterrupt:
            raise ValueError("cancelled") from None

    job = Work(cancel)
    press_ctrl_c(0.2)
    work_off(1, [job])
    assert [type(each) for each in job.ends] == [ValueError]


def test_an_interruption_at_any_moment_loses_no_job_and_reaches_nobody_afterwards() -> None:
    """Over jobs as short as they can be; what comes behind the last of them is the test's own."""
    for milliseconds in range(60):
        jobs = [Work(lambda: None) for _ in range(1000)]
        with suppress(KeyboardInterrupt):
            press_ctrl_c(milliseconds / 4000)
            work_off(3, jobs)
            time.sleep(0.1)
        done = [job for job in jobs if job.ends]
        assert all(len(job.ends) == 1 for job in done)
        assert jobs[: len(done)] == done or len(jobs) - len(done) <= 3


def test_a_mistake_at_the_end_of_a_job_is_raised_once_the_others_have_ended() -> None:
    class Broken(Work):
        def end(self, error: BaseException | None) -> None:
            raise LookupError("a mistake")

    other = Work(lambda: time.sleep(0.2))
    with pytest.raises(LookupError):
        work_off(2, [other, Broken(lambda: time.sleep(0.05))])
    assert other.ends == [None]


def test_a_job_that_hears_of_nothing_is_given_up_after_the_second_ctrl_c(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("howdah.fleet.crew._PATIENCE_SECONDS", 0.2)
    never = threading.Lock()
    never.acquire()

    def hear_nothing() -> None:
        never.acquire()

    deaf, rest = Work(hear_nothing), Work(spin)
    press_ctrl_c(0.2)
    press_ctrl_c(0.5)
    started = time.monotonic()
    work_off(1, [deaf, rest])
    assert 0.5 < time.monotonic() - started < 5
    assert deaf.ends == rest.ends == []
    never.release()


def run_in_front(function: Callable[[], None], *others: Work) -> BaseException | None:
    """What a job ends with that has a function run in front; it tells the crew of an interruption."""
    ends: list[BaseException | None] = []

    class Job(Work):
        def end(self, error: BaseException | None) -> None:
            ends.append(error)
            if error is not None:
                crew.interrupt()

    left: deque[Work] = deque([Job(lambda: crew.run_in_front(function)), *others])
    crew = Crew(1, take=lambda: left.popleft() if left else None, stop=left.clear)
    crew.work()
    return ends[0]


def test_what_a_job_wants_in_front_runs_in_the_thread_that_waits() -> None:
    seen: list[threading.Thread] = []
    other = Work(lambda: None)
    assert run_in_front(lambda: seen.append(threading.current_thread()), other) is None
    assert seen == [threading.current_thread()]
    assert other.ends == [None]


def test_ctrl_c_in_front_is_for_the_job_and_then_for_the_crew() -> None:
    other = Work(spin)
    press_ctrl_c(0.2)
    assert isinstance(run_in_front(spin, other), KeyboardInterrupt)
    assert other.ends == []

    def keep_to_itself() -> None:
        try:
            spin()
        except KeyboardInterrupt:
            raise ValueError("cancelled") from None

    press_ctrl_c(0.2)
    assert isinstance(run_in_front(keep_to_itself, other), ValueError)
    assert other.ends == []


def test_an_error_in_front_is_the_jobs() -> None:
    def fail() -> None:
        raise LookupError("no")

    assert isinstance(run_in_front(fail), LookupError)
