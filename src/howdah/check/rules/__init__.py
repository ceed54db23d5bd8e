"""The rules. Adding one is a file and a line here, and a page in docs/reference/rules/."""

from __future__ import annotations

from howdah.check.rules import (
    added_column_rewrites_table,
    blocks_for_long,
    chain_leaves_behind,
    check_scan_blocks,
    column_type_rewrites_table,
    constraint_builds_index,
    down_fails,
    down_leaves_behind,
    down_loses_data,
    down_loses_schema,
    drops_column,
    drops_object,
    drops_table,
    fails_on_any_row,
    fails_on_rows,
    foreign_key_scan_blocks,
    foreign_key_without_index,
    index_build_blocks_writes,
    lock_held_across_work,
    many_locks,
    may_fail_on_rows,
    migration_fails,
    not_null_scan_blocks,
    partition_scan_blocks,
    refresh_blocks_reads,
    reindex_blocks_writes,
    renames_object,
    required_column,
    rows_written_at_once,
    takes_long,
    truncates_table,
    up_differs_after_down,
    vacuum_full_blocks,
    waits_for_locks,
)
from howdah.check.rules.rule import KeyRule, Rule, StepRule
from howdah.check.rules.trip_rule import ChainRule, TripRule

# Why it fails: the first that fits.
FAILING: tuple[Rule, ...] = (fails_on_rows.RULE, migration_fails.RULE)

# Why others wait for as long as a table is large: the first that fits; the last always does.
BLOCKING: tuple[Rule, ...] = (
    column_type_rewrites_table.RULE,
    vacuum_full_blocks.RULE,
    refresh_blocks_reads.RULE,
    reindex_blocks_writes.RULE,
    added_column_rewrites_table.RULE,
    partition_scan_blocks.RULE,
    index_build_blocks_writes.RULE,
    constraint_builds_index.RULE,
    foreign_key_scan_blocks.RULE,
    not_null_scan_blocks.RULE,
    check_scan_blocks.RULE,
    lock_held_across_work.RULE,
    blocks_for_long.RULE,
)

# What is lost, and what programs miss: each speaks of other objects.
CHANGING: tuple[Rule, ...] = (
    drops_table.RULE,
    drops_column.RULE,
    truncates_table.RULE,
    drops_object.RULE,
    renames_object.RULE,
    required_column.RULE,
)

# About the step as a whole: at most once for each.
NOTES: tuple[StepRule, ...] = (
    waits_for_locks.RULE,
    takes_long.RULE,
    rows_written_at_once.RULE,
    many_locks.RULE,
)

# About the way down and up again.
TRIPS: tuple[TripRule, ...] = (
    fails_on_any_row.RULE,
    may_fail_on_rows.RULE,
    down_fails.RULE,
    down_leaves_behind.RULE,
    down_loses_schema.RULE,
    down_loses_data.RULE,
    up_differs_after_down.RULE,
)
CHAIN: tuple[ChainRule, ...] = (chain_leaves_behind.RULE,)

# About what the catalogue has in the end.
KEYS: tuple[KeyRule, ...] = (foreign_key_without_index.RULE,)

RULES: tuple[Rule | StepRule | KeyRule | TripRule | ChainRule, ...] = (
    *FAILING,
    *BLOCKING,
    *CHANGING,
    *NOTES,
    *KEYS,
    *TRIPS,
    *CHAIN,
)

ALLOWABLE = frozenset(each.name for each in RULES if each not in (*FAILING, *CHAIN))
"""The names that a file may allow itself. That it fails it cannot; and the chain is no file's."""
