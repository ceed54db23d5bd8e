"""The lease of a Provider with lock.NewPostgresTableLocker, as goose lock/internal/store/postgres.go writes it.

Of its own names and numbers: a table and an id that an application chose otherwise are not known here.
"""

from __future__ import annotations

from dataclasses import dataclass

from howdah.migrate.formats.interface import Query
from howdah.migrate.history import HistoryTable

LOCK_ID = 4097083626  # lock.DefaultLockID, for both of its lockers: the CRC-32 of "goose"
_TABLE = "goose_lock"


@dataclass(frozen=True)
class GooseLease:
    """One row of `goose_lock`, held for so many seconds from when it was last renewed."""

    lasts_seconds: float = 30.0
    renew_every_seconds: float = 5.0

    def find(self, table: HistoryTable) -> Query:
        """Beside the history, or wherever an unqualified name leads: the Provider has options for either's name."""
        return Query(
            "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            f" WHERE c.relname = '{_TABLE}' AND c.relkind IN ('r', 'p')"
            " AND (n.nspname = $1::text OR pg_table_is_visible(c.oid))"
            " AND EXISTS (SELECT FROM pg_attribute a"
            " WHERE a.attrelid = c.oid AND a.attname = 'lease_expires_at' AND NOT a.attisdropped)"
            " ORDER BY n.nspname = $1::text DESC LIMIT 1",
            (table.schema,),
        )

    def take(self, place: str, holder: str) -> Query:
        """As they do: by whether the row is locked, and by the server's clock."""
        return Query(
            f"INSERT INTO {place} AS lease (lock_id, locked, locked_at, locked_by, lease_expires_at, updated_at)"
            f" VALUES ({LOCK_ID}, true, now(), $1::text, {self._end}, now())"
            " ON CONFLICT (lock_id) DO UPDATE SET locked = true, locked_at = now(), locked_by = excluded.locked_by,"
            " lease_expires_at = excluded.lease_expires_at, updated_at = now()"
            " WHERE NOT lease.locked OR lease.lease_expires_at < now() RETURNING 1",
            (holder,),
        )

    def renew(self, place: str, holder: str) -> Query:
        """No row where it is not ours."""
        return Query(
            f"UPDATE {place} SET lease_expires_at = {self._end}, updated_at = now()"
            f" WHERE lock_id = {LOCK_ID} AND locked AND locked_by = $1::text RETURNING 1",
            (holder,),
        )

    def release(self, place: str, holder: str) -> Query:
        """No row where it is not ours."""
        return Query(
            f"UPDATE {place} SET locked = false, locked_at = NULL, locked_by = NULL, lease_expires_at = NULL,"
            f" updated_at = now() WHERE lock_id = {LOCK_ID} AND locked_by = $1::text RETURNING 1",
            (holder,),
        )

    def read(self, place: str) -> Query:
        """Its holder, since when, and how long without renewal."""
        return Query(
            "SELECT coalesce(locked_by, '?'), extract(epoch FROM now() - locked_at)::float8,"
            f" extract(epoch FROM lease_expires_at - now())::float8 FROM {place}"
            f" WHERE lock_id = {LOCK_ID} AND locked"
        )

    @property
    def _end(self) -> str:
        return f"now() + interval '{self.lasts_seconds} seconds'"
