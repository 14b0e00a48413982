"""Questions about what workers showed to know of synsets, in quizzes and in training."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, insert, select

from holotype.catalog import schema as t


@dataclass(frozen=True, slots=True)
class Trial:
    """One try of a worker at a synset's ``quiz`` or ``training``: how many were right of how many."""

    wnid: str
    kind: str
    correct: int
    asked: int


def trials(connection: Connection, worker: str, wnid: str | None = None) -> list[Trial]:
    """All tries of a worker, oldest first; at all synsets, or at one."""
    table = t.qualification.c
    asked = select(table.wnid, table.kind, table.correct, table.asked).where(table.worker == worker)
    if wnid is not None:
        asked = asked.where(table.wnid == wnid)
    return [Trial(*row) for row in connection.execute(asked.order_by(table.id))]


def never_right(connection: Connection, kind: str, wnid: str | None = None) -> list[tuple[str, str]]:
    """The (wnid, worker) of all synsets, or of one, at which a worker tried a kind, and never had all of it right."""
    table = t.qualification.c
    right = func.max(case((table.correct >= table.asked, 1), else_=0))
    asked = select(table.wnid, table.worker).where(table.kind == kind).group_by(table.wnid, table.worker)
    asked = asked if wnid is None else asked.where(table.wnid == wnid)
    return [(name, worker) for name, worker in connection.execute(asked.having(right == 0))]


def add(connection: Connection, worker: str, trial: Trial, at: float) -> None:
    """Append a try."""
    values = {"wnid": trial.wnid, "kind": trial.kind, "correct": trial.correct, "asked": trial.asked}
    connection.execute(insert(t.qualification).values(worker=worker, at=at, **values))
