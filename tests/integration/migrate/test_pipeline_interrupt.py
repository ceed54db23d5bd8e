"""Ctrl-C between two lines of the sending: what was under way is stopped, and what is told of it is so."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.migrate.pipeline import Command, CommandFailed, run_pipeline

STATEMENTS = ("BEGIN", "CREATE TABLE a (id int)", "CREATE TABLE b (id int)", "COMMIT", "RESET ALL")


def interrupted_before(number: int, *, starts: bool) -> Iterator[Command]:
    """The statements, with a Ctrl-C while the one of this number is being made."""
    for index, text in enumerate(STATEMENTS):
        if index == number:
            raise KeyboardInterrupt
        yield Command(text.encode(), starts=starts)


@pytest.mark.parametrize("starts", [True, False], ids=["at work", "not begun"])
@pytest.mark.parametrize("number", range(len(STATEMENTS)))
def test_an_interrupt_while_sending_undoes_all_or_comes_after_the_commit(
    number: int, *, starts: bool, database: DatabaseConfig
) -> None:
    is_commit_sent = number > STATEMENTS.index("COMMIT")
    with connect(database) as connection:
        with pytest.raises((CommandFailed, KeyboardInterrupt)) as caught:
            run_pipeline(connection, interrupted_before(number, starts=starts))
        is_done = isinstance(caught.value, KeyboardInterrupt)
        if isinstance(caught.value, CommandFailed):
            assert caught.value.interrupted
            assert isinstance(caught.value.error, psycopg.errors.QueryCanceled)
            connection.rollback()
        # Once the COMMIT is sent, the server decides whether it or the cancellation comes first.
        assert is_commit_sent or not is_done

        assert not connection.closed
        found = connection.execute(
            "SELECT to_regclass('a') IS NOT NULL, to_regclass('b') IS NOT NULL"
        ).fetchone()
        assert found == (is_done, is_done)
