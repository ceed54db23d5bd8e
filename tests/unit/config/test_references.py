"""`${NAME}` in the values of howdah.toml."""

from __future__ import annotations

from howdah.config.references import expand_values


def test_a_value_whose_variable_is_not_set_is_left_out() -> None:
    templates = {"tenant": "${TENANT}", "schema": "${SCHEMA:-app}", "mode": "fast", "none": "${NONE:-}"}

    assert expand_values(templates, [{"TENANT": ""}]) == {"schema": "app", "mode": "fast", "none": ""}
    assert expand_values(templates, [{"TENANT": "acme"}]) == {
        "tenant": "acme",
        "schema": "app",
        "mode": "fast",
        "none": "",
    }


def test_no_table_of_values_stays_none() -> None:
    assert expand_values(None, [{}]) is None
