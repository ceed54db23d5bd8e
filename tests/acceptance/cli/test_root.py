"""`howdah` itself: the help page, the version, completion, words that are none of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from fix_cli import Cli
from howdah.cli.areas import AREAS, help_page
from howdah.cli.root import root


def test_the_page_that_needs_no_click_names_every_area_with_its_line(cli: Cli) -> None:
    ran = cli("--help")

    assert ran.code == 0
    assert ran.stdout == cli().stdout == help_page()
    for name, (_, line) in AREAS.items():
        assert f"  {name}" in ran.stdout
        assert line in ran.stdout


def test_every_area_loads_and_has_help_of_its_own() -> None:
    for name in AREAS:
        page = CliRunner().invoke(root, [name, "--help"])
        assert page.exit_code == 0, page.output
        assert "Usage:" in page.output


def test_an_unknown_area_suggests_the_near_one(cli: Cli) -> None:
    ran = cli("migrat", "up")

    assert ran.code == 2
    assert "did you mean 'migrate'?" in ran.stderr
    assert ran.stderr.splitlines()[0] == help_page().splitlines()[0]


def test_the_version_names_the_driver_too(cli: Cli) -> None:
    ran = cli("--version")

    assert ran.code == 0
    assert ran.stdout.startswith("howdah 0.")
    assert "psycopg 3." in ran.stdout


def test_a_reader_that_leaves_early_is_no_error(cli: Cli) -> None:
    import subprocess

    from fix_cli import command

    line = f"{' '.join(command('migrate', 'new', '--help'))} | true; echo $PIPESTATUS"
    new = f"{' '.join(command('migrate', 'new', 'x', '--dir', 'm', '--json'))} | true"
    for each in (line, new):
        done = subprocess.run(
            ["bash", "-c", each],
            cwd=cli.directory,
            env=cli.environ,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""


def test_a_full_disk_is_a_failure_not_an_answer(cli: Cli) -> None:
    import subprocess

    from fix_cli import command

    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("migrate", "new", "x", "--dir", "m", "--json"),
            cwd=cli.directory,
            env=cli.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (4, "error: cannot write the output: No space left on device\n")


def test_the_shell_gets_completions(cli: Cli) -> None:
    script = cli(env={"_HOWDAH_COMPLETE": "bash_source"})
    assert "_HOWDAH_COMPLETE=bash_complete" in script.stdout

    words = cli(
        env={"_HOWDAH_COMPLETE": "bash_complete", "COMP_WORDS": "howdah migrate u", "COMP_CWORD": "2"}
    )
    assert words.stdout.split() == ["plain,up"]


def test_the_help_page_loads_neither_click_nor_the_driver(cli: Cli) -> None:
    import subprocess
    import sys

    program = (
        "import sys; sys.argv = ['howdah', '--help']; from howdah.cli.main import main; main();"
        "assert not {'click', 'psycopg'} & set(sys.modules), 'loaded'"
    )
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout


@pytest.mark.parametrize(
    ("words", "command", "said"),
    [
        (("migrat",), "", "there is no area 'migrat'; did you mean 'migrate'?"),
        (("migrate", "stats"), "migrate", "there is no action 'stats'; did you mean 'status'?"),
        (("migrate", "up", "--sideways"), "migrate up", "no such option"),
        (("migrate", "up", "--wait", "long"), "migrate up", "'long' is not a valid float range"),
        (("migrate", "resolve"), "migrate resolve", "missing argument 'VERSION'"),
        (("migrate", "up", "--all", "--db", "x"), "migrate up", "--all is every database of the project"),
        (("--sideways",), "", "no such option"),
    ],
)
def test_a_mistake_in_what_was_typed_is_json_where_json_was_asked_for(
    cli: Cli, words: tuple[str, ...], command: str, said: str
) -> None:
    ran = cli(*words, "--json")

    assert (ran.code, ran.stderr) == (2, "")
    assert {key: ran.json[key] for key in ("howdah", "command", "ok", "target", "data")} == {
        "howdah": 1,
        "command": command,
        "ok": False,
        "target": None,
        "data": {},
    }
    (problem,) = ran.json["problems"]
    assert problem["code"] == "bad-usage"
    assert said in problem["message"]
    assert problem["next"] == [f"howdah {command} --help".replace("  ", " ")]

    as_text = cli(*words)
    assert as_text.code == 2
    assert as_text.stderr.startswith("Usage: howdah")
