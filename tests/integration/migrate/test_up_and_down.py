"""Migrations on a real server: what is applied, recorded, reported and refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, history, migrator, relations, scalar, tables
from howdah.config.database import DatabaseConfig
from howdah.errors import DirtyDatabase, HistoryMismatch, MigrationFailed, RefusedError, SourceError
from howdah.migrate.events import Event, Noted, Result, Retrying, StatementStarted
from howdah.migrate.migrator import Migrator
from howdah.migrate.standing import State


def test_up_applies_all_and_down_takes_one_back(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(tables(3))
    run = migrator(database, directory)

    assert [result.step.migration.version for result in run.up()] == ["1", "2", "3"]
    assert (history(database), relations(database) >= {"t1", "t2", "t3"}) == ([(3, False)], True)

    assert [result.step.migration.version for result in run.down()] == ["3"]
    assert history(database) == [(2, False)]
    assert "t3" not in relations(database)

    assert [result.step.migration.version for result in run.down(to=0)] == ["2", "1"]
    assert history(database) == []
    assert relations(database) == set()


def test_up_to_a_version_stops_there(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    run = migrator(database, write_migrations(tables(3)))

    run.up(to=2)

    assert history(database) == [(2, False)]
    assert [entry.version for entry in run.status().pending] == ["3"]


def test_reading_changes_nothing(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    run = migrator(database, write_migrations(tables(2)))

    assert len(run.status().pending) == len(run.plan().steps) == 2

    assert scalar(database, "SELECT count(*) FROM pg_namespace WHERE nspname = 'howdah'") == 0
    assert scalar(database, "SELECT to_regclass('schema_migrations')") is None


def test_a_failing_migration_leaves_nothing_of_itself_and_tells_where(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            **tables(1),
            "2_bad.up.sql": "CREATE TABLE half (id int);\n\nINSERT INTO half\n  VALUES (1), ('x');\n",
            "3_after.up.sql": "SELECT 1;",
        }
    )

    with pytest.raises(MigrationFailed) as caught:
        migrator(database, directory).up()

    failed = caught.value
    assert (failed.applied, failed.failed, failed.pending, failed.sqlstate) == (("1",), "2", ("3",), "22P02")
    assert str(failed.where) == f"{directory}/2_bad.up.sql:4"
    assert "Statement 2 of 2: INSERT INTO half" in str(failed.why)
    assert "Nothing of it took effect. 1 migration before it" in str(failed.fix)
    assert history(database) == [(1, False)]
    assert "half" not in relations(database)


def test_a_constraint_that_fails_at_commit_rolls_the_migration_back(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "1_a.up.sql": "CREATE TABLE a (id int PRIMARY KEY, other int REFERENCES a DEFERRABLE INITIALLY DEFERRED);"
            "INSERT INTO a VALUES (1, 2);"
        }
    )

    with pytest.raises(MigrationFailed, match="violates foreign key") as caught:
        migrator(database, directory).up()

    assert "recording or committing" in str(caught.value.why)
    assert history(database) == []
    assert relations(database) == set()


def test_nothing_runs_where_one_file_of_the_plan_cannot(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({**tables(2), "3_bom.up.sql": "\ufeffSELECT 1;"})

    with pytest.raises(SourceError, match="byte order mark"):
        migrator(database, directory).up()

    assert relations(database) == set()


def test_a_concurrent_index_is_built_outside_and_recorded_clean(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({**tables(1), "2_index.up.sql": "CREATE INDEX CONCURRENTLY i ON t1 (name);"})

    results = migrator(database, directory).up()

    assert [result.transactional for result in results] == [True, False]
    assert history(database) == [(2, False)]
    assert scalar(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") is True


def test_what_only_the_server_knows_to_be_forbidden_runs_outside(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "1_p.up.sql": "CREATE TABLE log (n int);"
            "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1); COMMIT; END $$;",
            "2_call.up.sql": "CALL p()",
        }
    )

    results = migrator(database, directory).up()

    assert [result.transactional for result in results] == [True, False]
    assert scalar(database, "SELECT count(*) FROM log") == 1


def test_a_concurrent_build_that_fails_leaves_neither_index_nor_dirty_mark(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "1_a.up.sql": "CREATE TABLE a (n int); INSERT INTO a VALUES (1), (1);",
            "2_unique.up.sql": "CREATE UNIQUE INDEX CONCURRENTLY a_n ON a (n);",
        }
    )
    run = migrator(database, directory)

    with pytest.raises(MigrationFailed, match="could not create unique index") as caught:
        run.up()

    assert "Nothing of it took effect" in str(caught.value.fix)
    assert history(database) == [(1, False)]
    assert "a_n" not in relations(database)
    with connect(database) as connection:
        connection.execute("DELETE FROM a WHERE ctid = '(0,1)'")
    assert len(run.up()) == 1


def test_a_later_statement_outside_a_transaction_that_fails_leaves_a_dirty_mark_and_the_truth(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            **tables(1),
            "2_two.up.sql": "CREATE INDEX CONCURRENTLY i ON t1 (name);\nCREATE INDEX CONCURRENTLY j ON t1 (nothing);\n",
            "2_two.down.sql": "DROP INDEX i;",
        }
    )
    run = migrator(database, directory)

    with pytest.raises(MigrationFailed) as caught:
        run.up()

    assert "1 of its statements took effect; the history is dirty" in str(caught.value.fix)
    assert str(caught.value.where).endswith("2_two.up.sql:2")
    assert history(database) == [(2, True)]
    with pytest.raises(DirtyDatabase):
        run.plan()
    # Another run goes on behind the first one, and meets the same.
    with pytest.raises(MigrationFailed, match="nothing"):
        run.up()
    assert history(database) == [(2, True)]
    found = run.diagnose()
    assert found.unfinished is not None
    assert (found.unfinished.version, found.unfinished.statements_done, found.holders) == ("2", 1, ())
    assert [(each.name, each.exists) for each in found.suspects[0].traces] == [("i", True), ("j", False)]

    with connect(database) as connection:
        connection.execute("DROP INDEX i")
    run.resolve(2, applied=False)
    assert history(database) == [(1, False)]


@pytest.mark.parametrize(("applied", "expected"), [(True, [(2, False)]), (False, [(1, False)])])
def test_resolve_puts_a_dirty_history_of_golang_migrate_right(
    database: DatabaseConfig,
    write_migrations: WriteMigrations,
    applied: bool,
    expected: list[tuple[int, bool]],
) -> None:
    run = migrator(database, write_migrations(tables(3)))
    run.up(to=1)
    with connect(database) as connection:
        connection.execute("UPDATE schema_migrations SET version = 2, dirty = true")
    assert run.status().entries[1].state is State.DIRTY

    run.resolve(2, applied=applied)

    assert history(database) == expected


def test_resolve_reverted_of_the_first_empties_the_history(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run = migrator(database, write_migrations(tables(1)))
    run.up()
    with connect(database) as connection:
        connection.execute("UPDATE schema_migrations SET version = -1, dirty = true")

    run.resolve(1, applied=False)

    assert history(database) == []


def test_baseline_adopts_an_existing_database(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run = migrator(database, write_migrations(tables(3)))
    with connect(database) as connection:
        connection.execute("CREATE TABLE t1 (id int); CREATE TABLE t2 (id int)")

    run.baseline(2)

    assert [result.step.migration.version for result in run.up()] == ["3"]
    with pytest.raises(HistoryMismatch) as caught:
        run.baseline(2)
    assert caught.value.code == "history-exists"


def test_an_edited_file_is_reported_and_a_reformatted_one_is_told_apart(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run = migrator(database, write_migrations(tables(2)))
    run.up()
    write_migrations(
        {
            "001_t1.up.sql": "-- a comment\nCREATE TABLE t1\r\n(id bigint PRIMARY KEY, name text);",
            "002_t2.up.sql": "CREATE TABLE t2 (id int);",
        }
    )

    assert [finding.code for finding in run.status().findings] == [
        "reformatted-migration",
        "modified-migration",
    ]
    events: list[Event] = []
    migrator(database, run.directory, events).up()
    assert [event.finding.code for event in events if isinstance(event, Noted)] == [
        "reformatted-migration",
        "modified-migration",
    ]


def test_a_file_added_behind_the_history_is_told_and_not_run(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    files = tables(3)
    late = {name: files.pop(name) for name in ("002_t2.up.sql", "002_t2.down.sql")}
    run = migrator(database, write_migrations(files))
    run.up()
    write_migrations(late)

    assert run.up() == []

    assert [finding.code for finding in run.status().findings] == ["out-of-order-migration"]
    assert "t2" not in relations(database)


def test_settings_of_one_file_do_not_leak_into_the_next(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "1_a.up.sql": "CREATE SCHEMA app; SET search_path = app; SET work_mem = '9MB';"
            "CREATE TABLE in_app (id int);",
            "2_b.up.sql": "CREATE TABLE in_public AS SELECT current_setting('work_mem') AS work_mem;",
            "3_c.up.sql": "SELECT set_config('search_path', '', false);",
            "4_d.up.sql": "CREATE TABLE also_public (id int);",
        }
    )

    migrator(database, directory).up()

    assert relations(database) == {"in_public", "also_public"}
    assert scalar(database, "SELECT work_mem <> '9MB' FROM in_public") is True


def test_a_role_taken_by_one_file_does_not_leak(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "1_a.up.sql": "CREATE ROLE leaky_role; GRANT CREATE ON SCHEMA public TO leaky_role;"
            "SET ROLE leaky_role; CREATE TABLE theirs (id int);",
            "2_b.up.sql": "CREATE TABLE ours (id int);",
            "3_c.up.sql": "CREATE TABLE owners AS SELECT relname, relowner::regrole::text AS owner FROM pg_class"
            " WHERE relname IN ('theirs', 'ours');",
            "4_d.up.sql": "DROP OWNED BY leaky_role; DROP ROLE leaky_role;",
        }
    )

    migrator(database, directory).up()

    with connect(database) as connection:
        owners: dict[str, str] = dict(connection.execute("SELECT relname, owner FROM owners").fetchall())
    assert owners == {"theirs": "leaky_role", "ours": database.user}


def test_isolation_of_a_files_own_transaction_is_kept(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "1_a.up.sql": "BEGIN ISOLATION LEVEL SERIALIZABLE;"
            "CREATE TABLE seen AS SELECT current_setting('transaction_isolation') AS level; COMMIT;",
            "2_b.up.sql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
            "INSERT INTO seen VALUES (current_setting('transaction_isolation'));",
        }
    )

    migrator(database, directory).up()

    with connect(database) as connection:
        rows = connection.execute("SELECT level FROM seen ORDER BY ctid").fetchall()
    assert rows == [("serializable",), ("repeatable read",)]


def test_a_foreign_table_of_the_same_name_is_refused(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    with connect(database) as connection:
        connection.execute("CREATE TABLE schema_migrations (version varchar PRIMARY KEY)")

    with pytest.raises(HistoryMismatch) as caught:
        migrator(database, write_migrations(tables(1))).up()

    assert caught.value.code == "foreign-history"


def test_a_read_only_database_is_refused(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    with connect(database) as connection:
        connection.execute(f"ALTER DATABASE {database.database} SET default_transaction_read_only = on")

    with pytest.raises(RefusedError) as caught:
        migrator(database, write_migrations(tables(1))).up()

    assert caught.value.code == "read-only-server"


def test_the_history_lives_where_it_is_told_to(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    from dataclasses import replace

    with connect(database) as connection:
        connection.execute('CREATE SCHEMA "My ""odd"" schema"')
    run = replace(
        migrator(database, write_migrations(tables(2))), schema='My "odd" schema', table="foo.bar %s"
    )

    run.up()

    assert run.status().history.version == "2"
    assert scalar(database, 'SELECT version FROM "My ""odd"" schema"."foo.bar %s"') == 2


def test_the_statements_of_a_run_are_told_as_they_begin(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    directory = write_migrations({"1_a.up.sql": "SELECT 1;\nSELECT 2;\n\nSELECT 3;"})

    migrator(database, directory, events).up()

    lines = [event.line for event in events if isinstance(event, StatementStarted)]
    assert lines == [1, 2, 4]
    assert isinstance(events[-1], Result)


def test_a_lock_the_application_holds_is_waited_for_within_the_stall_budget(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({**tables(1), "2_alter.up.sql": "ALTER TABLE t1 ADD COLUMN extra int;"})
    migrator(database, directory).up(to=1)
    events: list[Event] = []
    with connect(database) as holder:
        holder.execute("SET application_name = 'shop'; BEGIN; LOCK TABLE t1 IN ACCESS SHARE MODE")

        with pytest.raises(MigrationFailed, match=r"lock timeout|no ACCESS EXCLUSIVE lock on t1") as caught:
            migrator(database, directory, events, stall_seconds=1.5, retry_limit_seconds=2).up()

    assert caught.value.sqlstate == "55P03"
    assert "(shop), role" in str(caught.value.why)
    (retry,) = [event for event in events if isinstance(event, Retrying)]
    assert "idle in transaction" in retry.blockers[0]
    assert history(database) == [(1, False)]
    assert len(migrator(database, directory).up()) == 1


def test_a_role_that_may_not_create_the_side_history_migrates_without(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    from dataclasses import replace

    role = f"limited_{database.database}"
    with connect(database) as connection:
        connection.execute(
            f"CREATE ROLE {role} LOGIN PASSWORD 'p@ss %w'; GRANT CREATE ON SCHEMA public TO {role}"
        )
    try:
        from howdah.config.database import Secret

        limited = replace(database, user=role, password=Secret("p@ss %w"))
        run = migrator(limited, write_migrations(tables(1)))

        assert len(run.up()) == 1
        assert run.status().history.has_side_history is False

        # Somebody else's side history, which this role may not read, is as good as none.
        with connect(database) as connection:
            connection.execute(
                "CREATE SCHEMA howdah; CREATE TABLE howdah.history (id int);"
                f"ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM {role}"
            )
        assert len(run.down()) == 1
        assert run.status().history.has_side_history is False
    finally:
        with connect(database) as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize(
    "body", ["", "-- only a comment\n", "  \r\n", ";;\n"], ids=["empty", "comment", "blank", "semicolons"]
)
def test_a_file_without_statements_moves_the_history(
    database: DatabaseConfig, write_migrations: WriteMigrations, body: str
) -> None:
    migrator(database, write_migrations({"1_a.up.sql": body})).up()

    assert history(database) == [(1, False)]


def test_an_empty_directory_is_nothing_to_do(database: DatabaseConfig, tmp_path: Path) -> None:
    assert migrator(database, tmp_path).up() == []


def test_a_dropped_side_history_is_made_anew(
    database: DatabaseConfig, write_migrations: WriteMigrations, make_database: Callable[[], DatabaseConfig]
) -> None:
    run = migrator(database, write_migrations(tables(3)))
    run.up(to=2)
    with connect(database) as connection:
        connection.execute("DROP SCHEMA howdah CASCADE")

    run.up()

    records = run.status().history.records
    assert {version: record.action for version, record in records.items()} == {
        "1": "baseline",
        "2": "baseline",
        "3": "apply",
    }


def test_a_schema_without_a_history_is_told_how_to_take_a_baseline(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(tables(3))
    with connect(database) as connection:
        connection.execute("CREATE TABLE t1 (id int)")

    with pytest.raises(MigrationFailed) as caught:
        migrator(database, directory).up()

    assert caught.value.next[0] == "howdah migrate baseline 3"


def test_the_library_tells_the_format_by_the_files(database: DatabaseConfig, tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_text(
        "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n"
    )

    run = Migrator(database=database, directory=tmp_path)

    assert run.format == "dbmate"
    assert [result.step.migration.version for result in run.up_at_start()] == ["1"]


def test_going_back_where_files_only_go_forward_says_what_to_do(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    (tmp_path / "1_a.sql").write_text("CREATE TABLE a (id int);")
    run = Migrator(database=database, directory=tmp_path, format="sqlx")
    run.up()

    with pytest.raises(SourceError) as caught:
        run.down()

    assert "new migration" in str(caught.value.fix)


def test_what_a_killed_tool_left_behind_is_guessed_and_can_be_declared(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    (tmp_path / "1_a.sql").write_text("CREATE TABLE a (id int);")
    (tmp_path / "2_i.sql").write_text("-- no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);")
    run = Migrator(database=database, directory=tmp_path, format="sqlx")
    run.up(to=1)
    with connect(database) as connection:
        connection.execute("CREATE INDEX i ON a (id)")

    with pytest.raises(MigrationFailed) as caught:
        run.up()

    assert "killed in the middle" in str(caught.value.why)
    assert caught.value.next[0] == "howdah migrate resolve 2 --applied"
    run.resolve(2, applied=True)
    assert run.up() == []


def test_a_side_history_whose_versions_are_numbers_is_brought_into_the_form_of_today(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run = migrator(database, write_migrations(tables(3)))
    run.up(to=2)
    with connect(database) as connection:
        connection.execute(
            "ALTER TABLE howdah.history ALTER version TYPE bigint USING version::bigint,"
            " ALTER previous TYPE bigint USING previous::bigint"
        )
    assert [entry.state for entry in run.status().entries] == [State.APPLIED, State.APPLIED, State.PENDING]

    run.up()

    records = run.status().history.records
    assert {version: record.action for version, record in records.items()} == dict.fromkeys("123", "apply")
    assert records["3"].previous == "2"
