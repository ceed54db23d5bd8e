"""The lock modes of relations: which there are, and which of them conflict (PostgreSQL's documentation, 13.3.1)."""

from __future__ import annotations

from enum import Enum


class LockMode(Enum):
    """A lock mode by the words of LOCK TABLE, weakest first."""

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @classmethod
    def of(cls, mode: str) -> LockMode:
        """The mode as pg_locks writes it: `AccessShareLock`."""
        return _BY_CATALOGUE_NAME[mode]

    @property
    def catalogue_name(self) -> str:
        """As pg_locks writes it."""
        return f"{self.value.title().replace(' ', '')}Lock"

    @property
    def strength(self) -> int:
        """1 to 8, as PostgreSQL numbers them."""
        return _STRENGTH[self]

    def conflicts_with(self, other: LockMode) -> bool:
        """Whether a session that wants `other` waits for one that holds this."""
        return other in _CONFLICTS[self]

    @property
    def blocks_reads(self) -> bool:
        """Whether a SELECT waits for it."""
        return self.conflicts_with(LockMode.ACCESS_SHARE)

    @property
    def blocks_writes(self) -> bool:
        """Whether an INSERT, UPDATE or DELETE waits for it."""
        return self.conflicts_with(LockMode.ROW_EXCLUSIVE)


_STRENGTH = {mode: number for number, mode in enumerate(LockMode, 1)}
_BY_CATALOGUE_NAME = {mode.catalogue_name: mode for mode in LockMode}
_M = LockMode
_ALL = frozenset(LockMode)
_CONFLICTS: dict[LockMode, frozenset[LockMode]] = {
    _M.ACCESS_SHARE: frozenset({_M.ACCESS_EXCLUSIVE}),
    _M.ROW_SHARE: frozenset({_M.EXCLUSIVE, _M.ACCESS_EXCLUSIVE}),
    _M.ROW_EXCLUSIVE: frozenset({_M.SHARE, _M.SHARE_ROW_EXCLUSIVE, _M.EXCLUSIVE, _M.ACCESS_EXCLUSIVE}),
    _M.SHARE_UPDATE_EXCLUSIVE: _ALL - {_M.ACCESS_SHARE, _M.ROW_SHARE, _M.ROW_EXCLUSIVE},
    _M.SHARE: _ALL - {_M.ACCESS_SHARE, _M.ROW_SHARE, _M.SHARE},
    _M.SHARE_ROW_EXCLUSIVE: _ALL - {_M.ACCESS_SHARE, _M.ROW_SHARE},
    _M.EXCLUSIVE: _ALL - {_M.ACCESS_SHARE},
    _M.ACCESS_EXCLUSIVE: _ALL,
}
