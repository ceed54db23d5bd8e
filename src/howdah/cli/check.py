"""`howdah check`: is it safe to merge, and to deploy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from howdah.check.report import FAIL_ON
from howdah.check.reports import FORMS
from howdah.cli.answer import Answer, answers, progress_line
from howdah.cli.options import (
    all_option,
    directory_option,
    project_options,
    rehearsal_of,
    rehearse_option,
    together,
    wants_all,
)
from howdah.cli.target import project_of
from howdah.observe.verdict import Verdict

if TYPE_CHECKING:
    from howdah.check.report import CheckReport
    from howdah.check.settings import CheckSettings
    from howdah.check.subject import Subject
    from howdah.cli.render import Progress
    from howdah.config.project import Project
    from howdah.migrate.migrator import Migrator
    from howdah.observe.sizes import Stats

_FAIL_ON = [each.value for each in Verdict if each.rank > Verdict.BRIEF.rank]

_what_options = together(
    click.option("--files", "files_only", is_flag=True, help="Only files and history: no server is started."),
    click.option(
        "--base",
        envvar="HOWDAH_BASE",
        show_envvar=True,
        metavar="REF",
        help="Judge what is new against this branch; found by itself where git or the CI says it. `none`: judge all.",
    ),
    click.option(
        "--allow-renumbering", is_flag=True, help="Released files may have another version than before."
    ),
    click.option(
        "--against",
        envvar="HOWDAH_AGAINST",
        show_envvar=True,
        metavar="NAME|URL",
        help="Compare with the history of this database, too: the project's name of it, or its address.",
    ),
    click.option(
        "--on",
        "data",
        envvar="HOWDAH_ON",
        show_envvar=True,
        metavar="URL|FILE",
        help="Rehearse on a copy of this database, or of this dump, and measure who would wait, and how long.",
    ),
    click.option("--allow-large", is_flag=True, help="With --on: read a primary of more than 10 GB, too."),
    click.option(
        "--stats",
        envvar="HOWDAH_STATS",
        show_envvar=True,
        type=click.Path(path_type=Path),
        help="Weigh by the sizes of the real tables: a file of `howdah schema stats`.",
    ),
    click.option("--no-down", is_flag=True, help="Do not try the way down."),
    click.option(
        "--pg",
        "major",
        type=click.IntRange(min=14),
        envvar="HOWDAH_PG",
        show_envvar=True,
        metavar="MAJOR",
        help="PostgreSQL's major version to run on; without it the project's, or any.",
    ),
)
_shown_options = together(
    click.option(
        "--fail-on",
        type=click.Choice(_FAIL_ON),
        default=FAIL_ON.value,
        show_default=True,
        envvar="HOWDAH_FAIL_ON",
        show_envvar=True,
        help="Exit with 1 from this verdict on.",
    ),
    click.option(
        "--output",
        type=click.Choice(["human", "json", *FORMS]),
        default="human",
        show_default=True,
        envvar="HOWDAH_OUTPUT",
        show_envvar=True,
        help="What goes to stdout.",
    ),
    click.option(
        "--report",
        "files",
        multiple=True,
        metavar="FORM=FILE",
        help="Write the same in another form to a file, too; may be given several times.",
    ),
    click.option("--effects", is_flag=True, help="Show what each statement was seen to do."),
)


@click.command()
@_what_options
@_shown_options
@rehearse_option
@directory_option
@click.option(
    "--format",
    "format_name",
    envvar="HOWDAH_FORMAT",
    show_envvar=True,
    metavar="FORMAT",
    help="As of `migrate`.",
)
@project_options
@all_option
@answers("check")
def area(**options: Any) -> Answer:
    """Is it safe to merge, and to deploy? Nothing of yours is changed.

    Looks at the files, compares them with the base branch, and runs them up, down and up again on a PostgreSQL that is
    thrown away, watching what each statement locks, rewrites, scans and loses. The verdicts, from the best to the
    worst: safe; long (nobody waits); brief (a lock for a moment: `migrate up` bounds the wait); unknown (only its own
    tool can run it); breaking (programs of before fail); destructive (data is gone); unsafe (others wait for as long as
    the table is large); fails. A finding that is meant: `-- howdah: allow RULE REASON` above its statement.

    \b
    howdah check                          what is new against the base branch
    howdah check --base none              everything
    howdah check --files                  in a pre-commit hook
    howdah check --stats stats.json       weighed by the sizes of production's tables
    howdah check --on URL                 on a copy of real data
    howdah check --output github          in a GitHub action
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    from howdah.check.reports import find_writer
    from howdah.check.reports.marks import marks_of
    from howdah.cli.check_text import check_data, check_problems, check_text

    written = [_report_file(each) for each in options["files"]]
    fail_on = Verdict(options["fail_on"])
    with progress_line() as progress:
        project, reports = _check(options, progress)
    marks = marks_of(reports, root=project.root, fail_on=fail_on)
    for form, path in written:
        path.write_text(find_writer(form)(marks), encoding="utf-8")
    ok = all(each.is_ok(fail_on) for each in reports)
    data = check_data(reports, fail_on=fail_on)
    if options["output"] in FORMS:
        return Answer(data=data, text=find_writer(options["output"])(marks), ok=ok)
    text = check_text(reports, fail_on=fail_on, shows_effects=options["effects"])
    return Answer(data=data, text=text, problems=check_problems(reports, fail_on=fail_on), ok=ok)


def _report_file(text: str) -> tuple[str, Path]:
    form, is_there, path = text.partition("=")
    if not is_there or form not in FORMS or not path:
        raise click.UsageError(f"--report is FORM=FILE, with one of {', '.join(FORMS)}; not '{text}'")
    return form, Path(path)


def _check(options: dict[str, Any], progress: Progress) -> tuple[Project, tuple[CheckReport, ...]]:
    """Check each of the databases that are meant: the one that is named, or all of the project."""
    from howdah.check.run import check_migrations
    from howdah.check.subject import find_subject, find_subjects

    project = project_of(options["config_file"])
    named = {"db": options["db"], "directory": options["directory"], "format": options["format_name"]}
    if not wants_all(options["all_databases"], **_of_one(options)) and any(named.values()):
        subjects = [find_subject(project, **named)]
    else:
        subjects = list(find_subjects(project))
    reports = []
    for subject in subjects:
        progress.doing(f"checking {subject.name}")
        reports.append(check_migrations(subject, _settings(options, subject, project, progress)))
    return project, tuple(reports)


def _settings(
    options: dict[str, Any], subject: Subject, project: Project, progress: Progress
) -> CheckSettings:
    from howdah.check.settings import CheckSettings
    from howdah.cli.check_text import data_progress

    if options["files_only"] and options["data"]:
        raise click.UsageError("--files runs nothing, and --on rehearses on data: it is one or the other")
    return CheckSettings(
        base=options["base"],
        allow_renumbering=options["allow_renumbering"],
        against=_environment(options["against"], subject, project) if options["against"] else None,
        rehearsal=None if options["files_only"] else rehearsal_of(options, progress),
        tries_down=not options["no_down"],
        major=options["major"] or project.dev.major,
        stats=_stats(options["stats"]),
        data=options["data"],
        allow_large=options["allow_large"],
        on_data=lambda event: progress.doing(data_progress(event)),
    )


def _environment(said: str, subject: Subject, project: Project) -> Migrator:
    """What reads the history of `--against`: a database of the project by its name, or an address."""
    from howdah.dev import resolve_here
    from howdah.migrate.migrator import Migrator

    is_address = "://" in said or "=" in said
    found = resolve_here(project, url=said) if is_address else resolve_here(project, db=said)
    return Migrator.of(
        subject.settings,
        found.direct or found.database,
        root=subject.root,
        directory=subject.directory,
        format=subject.format,
    )


def _stats(path: Path | None) -> Stats | None:
    if path is None:
        return None
    from howdah.observe.sizes import load_stats

    return load_stats(path)


def _of_one(options: dict[str, Any]) -> dict[str, Any]:
    """The options that say something of one database."""
    return {name: options[name] for name in ("db", "directory", "format_name")}
