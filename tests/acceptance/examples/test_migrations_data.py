"""What the examples' migrations do to rows that are there before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from acceptance.examples.place import CHATALOT, HOLOMUSH, KAIMU, VIBEXP, Example, running_server
from fix_db import connect
from howdah import Migrator
from howdah.config.database import DatabaseConfig

Migrate = Callable[[int], None]


def _migrated(example: Example, address: DatabaseConfig) -> Migrate:
    migrator = Migrator(database=address, directory=example.directory, format=example.format)

    def migrate(version: int) -> None:
        if version < int(migrator.status().history.version or 0):
            migrator.down(to=version)
        else:
            migrator.up(to=version)

    return migrate


@pytest.fixture
def kaimu() -> Iterator[tuple[Migrate, psycopg.Connection]]:
    with running_server(KAIMU.suitable_programs()[-1]) as server, connect(server.address) as connection:
        yield _migrated(KAIMU, server.address), connection


@pytest.fixture
def vibexp() -> Iterator[tuple[Migrate, psycopg.Connection]]:
    with running_server(VIBEXP.suitable_programs()[-1]) as server, connect(server.address) as connection:
        yield _migrated(VIBEXP, server.address), connection


@pytest.fixture
def holomush() -> Iterator[tuple[Migrate, psycopg.Connection]]:
    with running_server(HOLOMUSH.suitable_programs()[-1]) as server, connect(server.address) as connection:
        yield _migrated(HOLOMUSH, server.address), connection


@pytest.fixture
def chatalot() -> Iterator[tuple[Migrate, psycopg.Connection]]:
    with running_server(CHATALOT.suitable_programs()[-1]) as server, connect(server.address) as connection:
        yield _migrated(CHATALOT, server.address), connection


def test_kaimu_keeps_what_people_wrote(kaimu: tuple[Migrate, psycopg.Connection]) -> None:
    migrate, connection = kaimu
    migrate(14)
    connection.execute("""
        INSERT INTO users (email, display_name) VALUES ('ada@example.test', 'Ada');
        INSERT INTO organizations (name, slug, owner_id) SELECT 'Org', 'org', id FROM users;
        INSERT INTO organization_members (organization_id, user_id)
            SELECT organizations.id, users.id FROM organizations, users;
        INSERT INTO projects (organization_id, name, key) SELECT id, 'Project', 'PRO' FROM organizations;
        INSERT INTO boards (project_id, name) SELECT id, 'Board' FROM projects;
        INSERT INTO board_columns (board_id, name, position)
            SELECT id, new.name, new.position FROM boards, (VALUES ('Todo', 0), ('Done', 1)) AS new (name, position);
        INSERT INTO cards (column_id, title, created_at)
            SELECT id, new.title, new.created_at::timestamptz
            FROM board_columns,
                (VALUES ('second', '2026-01-02'), ('first', '2026-01-01')) AS new (title, created_at);
        INSERT INTO tags (project_id, name, color)
            SELECT id, new.name, new.color
            FROM projects, (VALUES ('a', '#ABC'), ('b', 'AABBCC'), ('c', 'red'), ('d', '#012345')) AS new (name, color);
    """)

    migrate(22)

    cards = connection.execute("SELECT DISTINCT title, position FROM cards ORDER BY position").fetchall()
    assert cards == [("first", 0), ("second", 1)]
    colors = connection.execute("SELECT name, color FROM tags ORDER BY name").fetchall()
    assert colors == [("a", "#aabbcc"), ("b", "#aabbcc"), ("c", "#6b7280"), ("d", "#012345")]
    found = connection.execute(
        "SELECT count(*) FROM cards WHERE search @@ plainto_tsquery('firsts')"
    ).fetchone()
    assert found == (2,)
    overview = connection.execute("SELECT columns, cards FROM board_overview").fetchone()
    assert overview == (2, 4)
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("INSERT INTO users (email, display_name) VALUES ('ADA@example.test', 'Ada')")

    connection.execute("UPDATE organization_members SET role = 'guest'")
    migrate(18)
    assert connection.execute("SELECT role::text FROM organization_members").fetchone() == ("member",)


def test_vibexp_finds_what_it_embedded(vibexp: tuple[Migrate, psycopg.Connection]) -> None:
    migrate, connection = vibexp
    migrate(22)
    connection.execute("""
        INSERT INTO teams (name, slug) VALUES ('Team', 'team');
        INSERT INTO projects (team_id, name, slug) SELECT id, 'Project', 'project' FROM teams;
        INSERT INTO artifacts (project_id, slug, title, content)
            SELECT id, new.slug, new.slug, 'about ' || new.slug
            FROM projects, (VALUES ('north'), ('east')) AS new (slug);
        INSERT INTO embeddings (team_id, entity_kind, entity_id, model, embedding)
            SELECT teams.id, 'artifact', artifacts.id, 'test',
                (SELECT array_agg(((artifacts.slug = 'north') = (place <= 512))::int ORDER BY place)
                 FROM generate_series(1, 1024) AS place)::vector
            FROM teams, artifacts;
        INSERT INTO api_keys (team_id, name, prefix, key_sha256)
            SELECT id, 'key', 'vxp_', digest('vxp_secret', 'sha256') FROM teams;
    """)

    migrate(55)

    nearest = connection.execute("""
        SELECT content, similarity > 0.99
        FROM teams, nearest_embeddings((SELECT array_agg((place <= 512)::int ORDER BY place)
            FROM generate_series(1, 1024) AS place)::vector, teams.id, 1)
    """).fetchall()
    assert nearest == [("about north", True)]
    assert connection.execute("SELECT name FROM find_api_key('vxp_secret')").fetchall() == [("key",)]
    assert connection.execute("SELECT name FROM find_api_key('vxp_other')").fetchall() == []
    connection.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY usage_summary")
    assert connection.execute("SELECT artifacts FROM usage_summary").fetchall() == [(2,)]
    with pytest.raises(psycopg.errors.DataException, match="1024"):
        connection.execute("UPDATE embeddings SET embedding = '[1,2,3]'")


def test_holomush_finds_what_was_there_before_by_similar_names(
    holomush: tuple[Migrate, psycopg.Connection],
) -> None:
    migrate, connection = holomush
    migrate(4)
    connection.execute("""
        INSERT INTO players (id, username, password_hash) VALUES ('p', 'ada', '-');
        INSERT INTO locations (id, name) VALUES ('1', 'The Crossroads'), ('2', 'Old Lighthouse');
        INSERT INTO characters (id, player_id, location_id, name) VALUES ('c', 'p', '1', 'Alaric');
        INSERT INTO events (id, stream, kind, actor_kind, actor_id, payload)
            VALUES ('e', 'location:1', 'say', 'character', 'c', '{"text": "hello"}');
    """)

    migrate(9)

    found = connection.execute("SELECT id FROM locations WHERE name % 'lite house'").fetchall()
    assert found == [("2",)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("INSERT INTO characters (id, player_id, name) VALUES ('d', 'p', 'ALARIC')")
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("INSERT INTO objects (id, name) VALUES ('o', 'lamp')")
    connection.execute("INSERT INTO sessions (id, character_id) VALUES ('s', 'c')")
    present = connection.execute("SELECT location_id, name FROM characters_present").fetchall()
    assert present == [("1", "Alaric")]

    migrate(4)
    assert connection.execute("SELECT payload ->> 'text' FROM events").fetchall() == [("hello",)]


def test_chatalot_takes_over_the_groups_and_roles_that_were_there(
    chatalot: tuple[Migrate, psycopg.Connection],
) -> None:
    migrate, connection = chatalot
    migrate(18)
    connection.execute("""
        INSERT INTO users (username, display_name, email, password_hash, is_admin, created_at)
            SELECT name, name, name || '@example.test', '-', is_admin, created_at::timestamptz
            FROM (VALUES ('ada', true, '2026-01-01'), ('bob', true, '2026-01-02'), ('eve', false, '2026-01-03'))
                AS new (name, is_admin, created_at);
        INSERT INTO groups (name, owner_id) SELECT 'Chess', id FROM users WHERE username = 'bob';
        INSERT INTO group_members (group_id, user_id) SELECT groups.id, users.id FROM groups, users;
        INSERT INTO channels (name, group_id, created_by) SELECT 'openings', id, owner_id FROM groups;
        INSERT INTO channel_members (channel_id, user_id) SELECT channels.id, users.id FROM channels, users;
        INSERT INTO messages (channel_id, sender_id, ciphertext, nonce)
            SELECT id, created_by, 'e4', 'n' FROM channels;
    """)

    migrate(39)

    members = connection.execute("""
        SELECT users.username, community_members.role::text, channel_members.role::text, users.is_owner
        FROM users
        JOIN community_members ON community_members.user_id = users.id
        JOIN channel_members ON channel_members.user_id = users.id
        ORDER BY users.username
    """).fetchall()
    assert members == [
        ("ada", "member", "member", True),
        ("bob", "owner", "owner", False),
        ("eve", "member", "member", False),
    ]
    connection.execute("""
        INSERT INTO messages (channel_id, ciphertext, nonce, thread_id) SELECT channel_id, 'c5', 'n', id FROM messages
    """)
    assert connection.execute("SELECT reply_count FROM messages ORDER BY created_at").fetchall() == [
        (1,),
        (0,),
    ]
