"""Questions about what workers showed to know of synsets, in quizzes and in training."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

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


def add(connection: Connection, worker: str, trial: Trial, at: float) -> None:
    """Append a try."""
    values = {"wnid": trial.wnid, "kind": trial.kind, "correct": trial.correct, "asked": trial.asked}
    connection.execute(insert(t.qualification).values(worker=worker, at=at, **values))
