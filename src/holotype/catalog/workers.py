"""Questions about workers: who they are, and whether their votes count."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
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

LONGEST: Final = 500
"""Characters of a worker's name: PostgreSQL looks up no longer ones."""


def can_be_kept(name: str) -> bool:
    """Whether every database takes a worker's name."""
    return len(name) <= LONGEST and "\0" not in name


def everybody(connection: Connection) -> tuple[npt.NDArray[np.int64], list[str]]:
    """The ids of all workers who ever voted, ascending, and their names."""
    rows = connection.execute(select(t.worker.c.id, t.worker.c.name).order_by(t.worker.c.id)).all()
    return np.array([row.id for row in rows], np.int64), [row.name for row in rows]


def counting(connection: Connection) -> list[str]:
    """The names of the workers whose votes count."""
    free = t.worker.c.id.not_in(select(blocked_rows().c.worker_id))
    return list(connection.execute(select(t.worker.c.name).where(free)).scalars())


def ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Worker ids by name, of those of `names` that ever voted."""
    return {
        name: number
        for chunk in chunks(names)
        for name, number in connection.execute(select(t.worker.c.name, t.worker.c.id).where(t.worker.c.name.in_(chunk)))
    }


@cache
def blocked_rows() -> Subquery:
    """The newest standings of those whose votes do not count."""
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
