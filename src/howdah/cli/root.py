"""The click tree: areas load their module when they are named."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from howdah.cli.areas import AREAS, help_page
from howdah.cli.groups import refuse_unknown


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
        refuse_unknown("area", args, AREAS, ctx)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        return help_page().rstrip()


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
