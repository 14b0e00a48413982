"""Questions about workers: who they are, and whether their votes count."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    Connection,
    Subquery,
    func,
    insert,
    select,
)

from holotype.catalog import schema as t
from holotype.catalog.statements import chunks
from holotype.errors import UnknownWorker


def ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    return {
        name: number
        for chunk in chunks(names)
        for name, number in connection.execute(select(t.worker.c.name, t.worker.c.id).where(t.worker.c.name.in_(chunk)))
    }


def blocked_rows() -> Subquery:
    newest = select(func.max(t.standing.c.id)).group_by(t.standing.c.worker_id)
    return select(t.standing).where(t.standing.c.id.in_(newest), t.standing.c.blocked == 1).subquery()


def blocked(connection: Connection) -> dict[str, str]:
    """Names of the workers whose votes do not count, with the reason, by name."""
    rows = blocked_rows()
    named = rows.join(t.worker, rows.c.worker_id == t.worker.c.id)
    found = connection.execute(select(t.worker.c.name, rows.c.reason).select_from(named).order_by(t.worker.c.name))
    return {row.name: row.reason for row in found}


def add_standing(connection: Connection, name: str, blocks: bool, reason: str, at: float) -> None:
    """Say from now on whether a worker's votes count. Raises `UnknownWorker` for one who never voted."""
    number = ids(connection, [name]).get(name)
    if number is None:
        raise UnknownWorker(name)
    values = {"worker_id": number, "blocked": int(blocks), "reason": reason, "at": at}
    connection.execute(insert(t.standing).values(values))
