"""Locks by name that processes on several machines hold against each other: PostgreSQL's advisory locks.

One belongs to the connection that took it and falls with that at the latest: when it is let go, when the process ends,
or when the server is started again. Names are of one schema of one database, so projects do not meet.
"""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import Connection, Engine, String, TextClause, column, exc, select, text

_KEY: Final = "hashtextextended(current_schema() || ' holotype ' || :name, 0)"
_PAUSE: Final = 0.05
_SAY: Final = text("SELECT set_config('application_name', :who, false)")
_KEY_OF_LOCK: Final = "(classid::bigint << 32) | objid::bigint"
_HERE: Final = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
_HOLDER: Final = (
    select(column("application_name", String))
    .select_from(text("pg_locks JOIN pg_stat_activity USING (pid)"))
    .where(text("locktype = 'advisory' AND granted AND objsubid = 1"))
    .where(text(f"pg_locks.{_HERE} AND {_KEY_OF_LOCK} = {_KEY}"))
)


def hold_until_commit(connection: Connection, name: str) -> None:
    """Wait for the lock of a name; it falls when the transaction ends."""
    connection.execute(_call("pg_advisory_xact_lock"), {"name": name})


def is_ours_until_commit(connection: Connection, name: str) -> bool:
    """Whether the lock of a name is this transaction's now, until it ends."""
    return bool(connection.execute(_call("pg_try_advisory_xact_lock"), {"name": name}).scalar())


class Advisory:
    """The lock of a name, held by a connection of its own outside of any transaction, which tells others `who` it is:
    63 ASCII characters at most."""

    def __init__(self, engine: Engine, name: str, who: str = "") -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._name = {"name": name}
        self._who = who
        self._connection: Connection | None = None

    def take(self, wait: float = 0.0) -> bool:
        """Whether the lock is held now: it was and nothing befell its connection, or it could be had within `wait`
        seconds. (The lock of a process that was killed falls when the server notices.)"""
        until = time.monotonic() + wait
        while not (self._is_held() or self._tried()):
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)
        return True

    def holder(self) -> str:
        """Who holds the lock, as they say; "" where nobody does, or the server does not tell."""
        with self._engine.connect() as connection:
            return str(connection.execute(_HOLDER, self._name).scalar() or "")

    def let_go(self) -> None:
        """Let others have it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.execute(_call("pg_advisory_unlock"), self._name)
                connection.execute(_SAY, {"who": ""})
            except exc.DBAPIError:
                connection.invalidate()  # the server has let it go, or does so now
            connection.close()

    def _is_held(self) -> bool:
        connection = self._connection
        if connection is None:
            return False
        try:
            connection.execute(text("SELECT 1"))
        except exc.DBAPIError:
            self._connection = None
            connection.invalidate()
            connection.close()
        return self._connection is not None

    def _tried(self) -> bool:
        connection = self._engine.connect()
        try:
            taken: Any = connection.execute(_call("pg_try_advisory_lock"), self._name).scalar()
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        if taken:
            self._connection = connection
            connection.execute(_SAY, {"who": self._who})
        else:
            connection.close()
        return bool(taken)


def _call(function: str) -> TextClause:
    return text(f"SELECT {function}({_KEY})")
