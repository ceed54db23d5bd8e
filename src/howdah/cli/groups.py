"""The group behind `howdah AREA`: the bare area runs its first action."""

from __future__ import annotations

import click


class Area(click.Group):
    """Runs the first action, the harmless one, where none is named: `howdah setup --json` is `setup plan --json`."""

    def __init__(self, *, first: str, **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self._first = first

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Completion (resilient parsing) asks for what may follow, and runs nothing.
        is_bare = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        if is_bare and not ctx.resilient_parsing:
            args = [self._first, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)
