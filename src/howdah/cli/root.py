"""The click tree: areas load their module when they are named."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from howdah.cli.areas import AREAS, MEANT, help_page
from howdah.cli.groups import refuse_unknown
from howdah.cli.usage import asks_for_json, usage_errors

_IS_JSON = "howdah.is_json"


class _Areas(click.Group):
    """The areas, each imported only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(AREAS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in AREAS:
            return None
        command: click.Command = import_module(f"howdah.cli.{AREAS[cmd_name][0]}").area
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        refuse_unknown("area", args, AREAS, ctx, meant=MEANT)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        return help_page().rstrip()

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        is_json = asks_for_json(args)
        with usage_errors(is_json=is_json):
            context = super().make_context(info_name, args, parent, **extra)
        context.meta[_IS_JSON] = is_json
        return context

    def invoke(self, ctx: click.Context) -> Any:
        with usage_errors(is_json=ctx.meta[_IS_JSON]):
            return super().invoke(ctx)


def _print_version(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"howdah {version('howdah')} (psycopg {version('psycopg')})")
        ctx.exit()


@click.group(
    cls=_Areas,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="",
    subcommand_metavar="AREA [ACTION] [OPTIONS]",
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version)
def root() -> None:
    """Carries an application's PostgreSQL from git clone to production."""
