"""A misspelt word is answered with the word that was meant."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from howdah.cli.root import root


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["migrat"], "there is no area 'migrat'; did you mean 'migrate'?"),
        (
            ["zzz"],
            "there is no area 'zzz'; the areas are: dev, setup, migrate, schema, check, status, doctor",
        ),
        (["migrate", "stats"], "there is no action 'stats'; did you mean 'status'?"),
        (["up"], "there is no area 'up'; did you mean 'migrate up'?"),
        (["migrate", "upgrade"], "there is no action 'upgrade'; did you mean 'up'?"),
        (["migrate", "rollback"], "there is no action 'rollback'; did you mean 'down'?"),
        (["setup", "zzz"], "there is no action 'zzz'; the actions are: plan, apply"),
    ],
)
def test_an_unknown_word_is_a_usage_error_with_a_suggestion(words: list[str], said: str) -> None:
    done = CliRunner().invoke(root, words)
    assert done.exit_code == 2
    assert said in done.output


def test_a_version_is_resolved_one_way_only() -> None:
    done = CliRunner().invoke(root, ["migrate", "resolve", "7", "--applied", "--reverted"])
    assert done.exit_code == 2
    assert "either --applied or --reverted" in done.output
