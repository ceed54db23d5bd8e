"""TypeORM's classes, found in the text of their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from howdah.errors import ConfigError, SourceError
from howdah.migrate.formats.typeorm import TYPEORM
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Migration

STAMP = "1700000000000"
TYPESCRIPT = f"""import {{ MigrationInterface, QueryRunner }} from "typeorm";

/* class Commented{STAMP} implements MigrationInterface {{ up() {{}} }} */
export class CreateUsers{STAMP} implements MigrationInterface {{
    public async up(queryRunner: QueryRunner): Promise<void> {{
        // class InAComment1700000000009 implements MigrationInterface
        await queryRunner.query(`CREATE TABLE users (name text)`);
    }}
    public async down(queryRunner: QueryRunner): Promise<void> {{}}
}}
"""
COMPILED = f"""
"use strict";
Object.defineProperty(exports, "__esModule", {{ value: true }});
exports.CreateUsers{STAMP} = void 0;
class CreateUsers{STAMP} {{
    constructor() {{
        this.name = 'CreateUsers{STAMP}';
    }}
    async up(queryRunner) {{ await queryRunner.query(`CREATE TABLE users ()`); }}
    async down(queryRunner) {{ }}
}}
exports.CreateUsers{STAMP} = CreateUsers{STAMP};
"""
OLD_ENGINE = f"""
var CreateUsers{STAMP} = /** @class */ (function () {{
    function CreateUsers{STAMP}() {{
    }}
    CreateUsers{STAMP}.prototype.up = function (queryRunner) {{ return query(); }};
    CreateUsers{STAMP}.prototype.down = function (queryRunner) {{ return query(); }};
    return CreateUsers{STAMP};
}}());
exports.CreateUsers{STAMP} = CreateUsers{STAMP};
"""
PROPERTY = f"""export class X implements MigrationInterface {{
  public readonly name = 'CreateUsers{STAMP}'
  async up() {{}}
  async down() {{}}
}}"""
TYPED_PROPERTY = f"""class X extends Base implements Other, MigrationInterface {{
  name: string = "CreateUsers{STAMP}"; async up() {{}} async down() {{}}
}}"""
OTHER_NAMES = f"""export class CreateUsers{STAMP} implements MigrationInterface {{
  async up() {{ const sql = "}}"; const name = 'users'; const table = new Table({{ name: "users" }}) }}
  async down() {{ let name = "orders1700000000001" }}
}}"""


def write(directory: Path, **files: str) -> None:
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (directory / f"{stem}.{ending}").write_text(text)


def read(directory: Path) -> list[Migration]:
    return list(TYPEORM.files.read(directory).migrations)


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("ts", TYPESCRIPT),
        ("js", COMPILED),
        ("js", OLD_ENGINE),
        ("js", f"module.exports = class CreateUsers{STAMP} {{\n async up(q) {{}}\n async down(q) {{}}\n}}"),
        (
            "mjs",
            f"export default class CreateUsers{STAMP} {{ up = async (q) => {{}}; down = async (q) => {{}} }}",
        ),
        ("ts", PROPERTY),
        ("ts", TYPED_PROPERTY),
        ("ts", OTHER_NAMES),
    ],
)
def test_a_class_is_found_in_every_usual_form(ending: str, text: str, tmp_path: Path) -> None:
    write(tmp_path, **{f"x_{ending}": text})

    (found,) = read(tmp_path)

    assert (found.version, found.name) == (f"CreateUsers{STAMP}", "create_users")
    assert found.up == found.down == tmp_path / f"x.{ending}"
    assert found.foreign == ("a TypeScript class" if ending == "ts" else "a JavaScript class")


def test_the_order_is_that_of_the_timestamps_not_of_the_files(tmp_path: Path) -> None:
    for file, name in (
        ("1-b", "Zebra1700000000002"),
        ("2-a", "Ape1700000000003"),
        ("3-c", "Yak1700000000001"),
    ):
        (tmp_path / f"{file}.js").write_text(f"class {name} {{ async up(q) {{}} }}")

    assert [each.version for each in read(tmp_path)] == [
        "Yak1700000000001",
        "Zebra1700000000002",
        "Ape1700000000003",
    ]
    assert all(each.down is None for each in read(tmp_path))


def test_several_classes_of_one_file_are_several_migrations(tmp_path: Path) -> None:
    text = TYPESCRIPT + TYPESCRIPT.replace(STAMP, "1700000000005").replace("Users", "Orders")
    write(tmp_path, x_ts=text)

    assert [each.version for each in read(tmp_path)] == [
        "CreateUsers1700000000000",
        "CreateOrders1700000000005",
    ]


def test_what_a_compiler_put_beside_its_source_counts_once(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_text(TYPESCRIPT)
    (tmp_path / "x.js").write_text(COMPILED)
    (tmp_path / "x.js.map").write_text("{}")
    (tmp_path / "x.d.ts").write_text(
        f"export declare class CreateUsers{STAMP} implements MigrationInterface {{}}"
    )

    assert [each.up for each in read(tmp_path)] == [tmp_path / "x.ts"]


def test_a_file_without_a_class_is_told(tmp_path: Path) -> None:
    write(tmp_path, index_ts='export * from "./x";', x_ts="class Helper { run() {} }")

    source = TYPEORM.files.read(tmp_path)

    assert source.migrations == ()
    assert [(note.code, note.where and Path(note.where.file).name) for note in source.notes] == [
        ("ignored-file", "index.ts"),
        ("ignored-file", "x.ts"),
    ]


def test_a_class_without_a_timestamp_is_refused_as_typeorm_does(tmp_path: Path) -> None:
    write(tmp_path, x_ts="\n\nexport class CreateUsers implements MigrationInterface { async up() {} }")

    with pytest.raises(SourceError, match="no timestamp") as caught:
        read(tmp_path)
    assert str(caught.value.where) == f"{tmp_path / 'x.ts'}:3"


def test_two_classes_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, x_ts=TYPESCRIPT, y_ts=TYPESCRIPT)
    with pytest.raises(SourceError, match=r"x\.ts and y\.ts"):
        read(tmp_path)


def test_a_timestamp_names_a_class_where_it_is_the_only_one(tmp_path: Path) -> None:
    write(tmp_path, x_ts=TYPESCRIPT)
    parse, source = TYPEORM.files.parse_version, TYPEORM.files.read(tmp_path)

    assert parse(STAMP, source) == parse(f"CreateUsers{STAMP}", source) == f"CreateUsers{STAMP}"
    assert parse("1600000000000", source) == "1600000000000"
    write(tmp_path, y_ts=TYPESCRIPT.replace("CreateUsers", "Other"))
    with pytest.raises(ConfigError, match="Other"):
        parse(STAMP, TYPEORM.files.read(tmp_path))


def test_the_key_is_called_as_typeorm_calls_it() -> None:
    (query,) = TYPEORM.table.create(HistoryTable("app", "public", "migrations"))
    assert '"PK_8c82d7f526340ab734260ea46be"' in query.sql


@pytest.mark.parametrize("ending", ["ts", "js"])
def test_a_new_class_has_the_language_of_the_others(ending: str, tmp_path: Path) -> None:
    write(tmp_path, **{f"x_{ending}": TYPESCRIPT if ending == "ts" else COMPILED})

    ((name, text),) = TYPEORM.files.new(TYPEORM.files.read(tmp_path), "add_order_lines").items()

    assert name.endswith(f"-AddOrderLines.{ending}")
    assert f"AddOrderLines{name[:13]}" in text
