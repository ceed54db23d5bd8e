"""ALTER TABLE in parts, whatever stands between and inside its names."""

from __future__ import annotations

import pytest

from howdah.check.advice.alter import ActionKind, read_alter_table
from howdah.check.wording import Wording


@pytest.mark.parametrize(
    ("text", "head", "actions"),
    [
        ("ALTER TABLE users ADD COLUMN a int", "ALTER TABLE users", ["ADD COLUMN a int"]),
        (
            "alter table IF EXISTS only public.users -- why, not\n add check (a in (1, 2)), drop b",
            "alter table IF EXISTS only public.users",
            ["add check (a in (1, 2))", "drop b"],
        ),
        (
            'ALTER TABLE "my ""app"" "."the, table" * ADD a text DEFAULT $$x, y$$, /* , */ ALTER "a b" SET NOT NULL',
            'ALTER TABLE "my ""app"" "."the, table" *',
            ["ADD a text DEFAULT $$x, y$$", 'ALTER "a b" SET NOT NULL'],
        ),
    ],
)
def test_the_parts_are_found(text: str, head: str, actions: list[str]) -> None:
    found = read_alter_table(Wording(text))
    assert found is not None
    assert found.head == head
    assert [each.text for each in found.actions] == actions


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("ADD CONSTRAINT c CHECK (a > 0)", ActionKind.CONSTRAINT),
        ('ADD CONSTRAINT "not valid" UNIQUE (a)', ActionKind.CONSTRAINT),
        ("ADD FOREIGN KEY (a) REFERENCES b", ActionKind.CONSTRAINT),
        ("ADD CONSTRAINT c NOT NULL a", ActionKind.CONSTRAINT),
        ("ADD CONSTRAINT c CHECK (a > 0) NOT VALID", ActionKind.OTHER),
        ("ADD CONSTRAINT c UNIQUE USING INDEX i", ActionKind.OTHER),
        ("ADD CONSTRAINT c EXCLUDE (a WITH =)", ActionKind.OTHER),
        ("ADD EXCLUDE (a WITH =)", ActionKind.OTHER),
        ("ADD a int", ActionKind.COLUMN),
        ("ADD COLUMN IF NOT EXISTS a int", ActionKind.COLUMN),
        ("ALTER a SET NOT NULL", ActionKind.NOT_NULL),
        ("ALTER COLUMN a SET DEFAULT 1", ActionKind.OTHER),
        ("DROP COLUMN a", ActionKind.OTHER),
    ],
)
def test_actions_are_told_apart(action: str, kind: ActionKind) -> None:
    found = read_alter_table(Wording(f"ALTER TABLE t {action}"))
    assert found is not None
    assert [each.kind for each in found.actions] == [kind]


@pytest.mark.parametrize(
    "text", ["ALTER INDEX i RENAME TO j", "DROP TABLE t", "ALTER TABLE t", "", "ALTER TABLE 'x"]
)
def test_what_is_no_such_statement_has_no_parts(text: str) -> None:
    assert read_alter_table(Wording(text)) is None
