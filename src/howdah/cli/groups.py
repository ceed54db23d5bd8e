"""The group behind `howdah AREA`: the bare area runs its first action."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

import click

_NO_WORDS: Mapping[str, str] = MappingProxyType({})


def refuse_unknown(
    kind: str, args: list[str], known: Collection[str], ctx: click.Context, *, meant: Mapping[str, str]
) -> None:
    """Raise a usage error where the first word is none of the known ones: names what is meant, the nearest, or all.

    `meant` are words that people type in the place of a known one.
    """
    if args and args[0] not in known and not args[0].startswith("-"):
        from howdah.config.keywords import near_name

        near = meant.get(args[0]) or near_name(args[0], known, cutoff=0.5)
        hint = f"did you mean '{near}'?" if near else f"the {kind}s are: {', '.join(known)}"
        raise click.UsageError(f"there is no {kind} '{args[0]}'; {hint}", ctx)


class Area(click.Group):
    """Runs the first action, the harmless one, where none is named: `howdah setup --json` is `setup plan --json`."""

    def __init__(self, *, first: str, meant: Mapping[str, str] = _NO_WORDS, **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self._first = first
        self._meant = meant

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Completion (resilient parsing) asks for what may follow, and runs nothing.
        is_bare = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        if is_bare and not ctx.resilient_parsing:
            args = [self._first, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        refuse_unknown("action", args, self.commands, ctx, meant=self._meant)
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)
