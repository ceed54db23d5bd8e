"""The JSON schema of howdah.toml says what the loader does, no more and no less."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.config.file_shape import FILE, json_schema
from howdah.config.project import read_project
from howdah.config.shape import Flag, Integer, ListOf, Scalar, Shape, Table, TableOf, Text
from howdah.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((files("howdah.config") / "howdah.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
WORD = re.compile(r"\w")


def loader_accepts(content: dict[str, Any]) -> bool:
    try:
        read_project(content, Path("/project/howdah.toml"), text="")
    except ConfigError:
        return False
    return True


def test_the_shipped_schema_is_a_valid_schema_and_current() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json_schema() == SCHEMA


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("examples/*/howdah.toml")), ids=lambda file: file.parent.name
)
def test_every_example_is_accepted(file: Path) -> None:
    content = tomllib.loads(file.read_text())
    VALIDATOR.validate(content)
    assert loader_accepts(content)


def right_values(shape: Shape) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one for each kind of shape
    match shape:
        case Text(pattern=None):
            return st.sampled_from(["disable", "h"])
        case Text():
            candidates = [
                "schema a",
                "database",
                "all tables in schema b",
                "2s",
                "SELECT",
                "DB_HOST",
                "sql",
                "refuse",
                "postgres://h/d",
            ]
            return st.sampled_from([text for text in candidates if re.search(shape.pattern or "", text)])
        case Flag():
            return st.booleans()
        case Integer():
            return st.integers(shape.minimum, shape.maximum)
        case Scalar():
            return st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
        case ListOf():
            return st.lists(right_values(shape.item), max_size=2)
        case TableOf():
            return st.dictionaries(
                st.sampled_from(["a", "B-c", "ü d"]), right_values(shape.value), max_size=2
            )
        case Table():
            optional = {key: right_values(value) for key, value in shape.keys.items()}
            required = {key: optional.pop(key) for key in shape.required}
            urls = st.sampled_from(["postgresql://app@h/d", "postgresql://u:${PW}@h/d", "${DSN}"])
            optional |= {key: urls for key in ("url", "direct-url") if key in optional and "env" in optional}
            # Which names there are is beyond a schema, too.
            optional |= {key: st.just([]) for key in ("depends-on",) if key in optional}
            return st.fixed_dictionaries(required, optional=optional)


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(content, dict | list):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from places(value, (*path, key))


def replaced(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = content.copy()
    changed[path[0]] = replaced(changed[path[0]], path[1:], value)
    return changed


WRONG = st.one_of(
    st.sampled_from(
        ["", "no such word here!", "1", 0, -5, 10**9, 1.5, True, [], {}, [1], {"x": 1}, {"": {}}]
    ),
)


@given(right_values(FILE))
def test_what_is_described_is_accepted_by_both(content: dict[str, Any]) -> None:
    VALIDATOR.validate(content)
    assert loader_accepts(content)


def is_url(path: tuple[Any, ...]) -> bool:
    return bool(path) and path[-1] in ("url", "direct-url") and "env" not in path


@given(st.data())
def test_a_changed_file_is_judged_alike_by_both(data: st.DataObject) -> None:
    content = data.draw(right_values(FILE))
    # What a URL means is beyond a schema; the loader's refusal of one is tested with the project.
    path = data.draw(
        st.sampled_from([path for path in places(content) if path and not is_url(path)] or [("dev",)])
    )
    content = content if path != ("dev",) else {**content, "dev": {}}
    changed = replaced(content, path, data.draw(WRONG))
    assert VALIDATOR.is_valid(changed) == loader_accepts(changed)


@given(right_values(FILE), st.sampled_from(["databse", "password", "x-extra", "url"]))
def test_an_unknown_key_is_refused_by_both(content: dict[str, Any], key: str) -> None:
    changed = {**content, key: "value"}
    assert not VALIDATOR.is_valid(changed)
    assert not loader_accepts(changed)


def keys_of(shape: Shape) -> Iterator[str]:
    match shape:
        case Table():
            for key, value in shape.keys.items():
                yield key
                yield from keys_of(value)
        case TableOf():
            yield from keys_of(shape.value)
        case ListOf():
            yield from keys_of(shape.item)


def test_every_key_is_on_the_reference_page() -> None:
    page = (ROOT / "docs/reference/configuration.md").read_text()
    assert [key for key in keys_of(FILE) if f"`{key}`" not in page and f"`[{key}]`" not in page] == []


def test_the_files_on_the_reference_page_are_accepted() -> None:
    page = (ROOT / "docs/reference/configuration.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        content = tomllib.loads(block)
        content = content.get("tool", {}).get("howdah", content)
        VALIDATOR.validate(content)
        assert loader_accepts(content)


def test_every_variable_is_on_the_reference_page() -> None:
    from howdah.config.env import CONVENTIONS

    page = (ROOT / "docs/reference/environment.md").read_text()
    variables = {name for convention in CONVENTIONS for names in convention.parts.values() for name in names}
    assert [name for name in sorted(variables) if f"`{name}`" not in page] == []
