"""The options that the actions of `howdah migrate` share, and the library's objects made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from howdah.cli.options import Option, directory_option, target_options, together
from howdah.cli.target import resolve_target
from howdah.config.durations import parse_duration
from howdah.migrate.settings import DEFAULT_STALL_SECONDS, RunSettings

if TYPE_CHECKING:
    from howdah.config.resolve import Resolved
    from howdah.migrate.formats.interface import OutOfOrder
    from howdah.migrate.migrator import Migrator

# The options of every action: which database, which files, in whose format.
migration_options = together(
    target_options,
    directory_option,
    click.option(
        "--format",
        "format_name",
        envvar="HOWDAH_FORMAT",
        show_envvar=True,
        metavar="FORMAT",
        help="Whose files and history they are: golang-migrate, goose, sqlx, dbmate, flyway, prisma, alembic, typeorm;"
        " told by the files without it.",
    ),
)


class Duration(click.ParamType[float]):
    """A length of time, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds. Fails where it is no duration."""
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _duration(flag: str, default: float, text: str) -> Option:
    """An option of a length of time, with its variable."""
    return click.option(
        flag,
        envvar="HOWDAH_" + flag.removeprefix("--").replace("-", "_").upper(),
        show_envvar=True,
        type=Duration(),
        default=f"{default:g}s",
        show_default=True,
        help=text,
    )


run_options = together(
    click.option(
        "--out-of-order",
        envvar="HOWDAH_OUT_OF_ORDER",
        show_envvar=True,
        type=click.Choice(["refuse", "apply", "skip"]),
        help="A migration older than the newest applied one: stop, run it late, or leave it out."
        " Without it, what the tool does.",
    ),
    click.option(
        "--max-stall",
        envvar="HOWDAH_MAX_STALL",
        show_envvar=True,
        type=Duration(),
        help="How long a statement of the application may wait because of this run: 500ms, 2s, 1min. Then it steps"
        " back, waits without queuing until the way is free, and tries again. Without it: `max-stall` in howdah.toml,"
        f" else {DEFAULT_STALL_SECONDS:g}s. 0: without limit, and a single long transaction may stop the application.",
    ),
    _duration(
        "--retry-limit",
        RunSettings().retry_limit_seconds,
        "How long to go on trying each migration while others are in its way; longer by one try at most.",
    ),
    _duration("--lock-timeout", RunSettings().lock_limit_seconds, "How long to wait for another run."),
)


def migrator_of(
    options: dict[str, Any], on_event: Callable[[Any], None] | None = None
) -> tuple[Resolved, Migrator]:
    """The library's object from the options that all actions share."""
    from howdah.migrate.discover import directory_of
    from howdah.migrate.migrator import Migrator
    from howdah.schema.file import keeper_of

    target = resolve_target(options["url"], options["config_file"], options["db"])
    migrator = Migrator.of(
        target.settings,
        target.direct or target.database,
        root=target.project.root,
        directory=options["directory"] or directory_of(target.settings, target.project),
        format=options["format_name"],
        out_of_order=policy_of(options),
        run_settings=patience_of(options),
        on_event=on_event or (lambda _: None),
    )
    return target, replace(migrator, keep_schema=keeper_of(target.settings))


def patience_of(options: dict[str, Any]) -> RunSettings:
    """How patient the run is to be."""
    names = (
        ("lock_limit_seconds", "lock_timeout"),
        ("stall_seconds", "max_stall"),
        ("retry_limit_seconds", "retry_limit"),
    )
    return RunSettings(**{name: options[option] for name, option in names if option in options})


def policy_of(options: dict[str, Any]) -> OutOfOrder | None:
    """What becomes of migrations out of order; None: what the tool does with them."""
    from howdah.migrate.formats.interface import OutOfOrder

    policy = options.get("out_of_order")
    return OutOfOrder(policy) if policy else None


def of_one(options: dict[str, Any]) -> dict[str, Any]:
    """The options that say something of one database."""
    return {name: options[name] for name in ("url", "db", "directory", "format_name")}
