"""Suggest commands that mean the database this command was about."""

from __future__ import annotations

import shlex
from dataclasses import replace

import click
from click.core import ParameterSource

from howdah.config.url import format_url, parse_url
from howdah.errors import ConfigError
from howdah.findings import Finding

_FLAGS = {
    "url": "--url",
    "admin_url": "--admin-url",
    "config_file": "--config",
    "db": "--db",
    "directory": "--dir",
    "format_name": "--format",
}
_TAKEN_BY = {
    "dev": {"config_file"},
    "doctor": {"url", "config_file", "db"},
    "migrate": {"url", "config_file", "db", "directory", "format_name"},
    "setup": {"url", "config_file", "db", "admin_url"},
    "status": {"url", "config_file", "db"},
}


def with_given_options(command: str) -> str:
    """The command with the options typed for this one that it takes too; a URL without its password."""
    area = command.split()[1] if command.startswith("howdah ") else ""
    context = click.get_current_context()
    for name, flag in _FLAGS.items():
        is_typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if is_typed and name in _TAKEN_BY.get(area, ()) and flag not in command.split():
            value = _shown(name, str(context.params[name]))
            command += f" {flag} {shlex.quote(value)}" if value else ""
    return command


def in_context(problem: Finding) -> Finding:
    """The problem with its commands as they are to be typed here."""
    return replace(problem, next=tuple(with_given_options(each) for each in problem.next))


def with_database(command: str, name: str) -> str:
    """The command for this one of many databases, where it does not say which, and takes one."""
    words = command.split()
    area = words[1] if words[0] == "howdah" and len(words) > 1 else ""
    is_said = not {"--db", "--url", "--all"}.isdisjoint(words) or "db" not in _TAKEN_BY.get(area, ())
    return command if is_said else f"{command} --db {shlex.quote(name)}"


def _shown(name: str, value: str) -> str:
    if not name.endswith("url"):
        return value
    try:
        return format_url(replace(parse_url(value), password=None))
    except ConfigError:  # the URL itself is what is wrong
        return ""
