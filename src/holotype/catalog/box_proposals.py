"""Questions about the boxes that a machine drew."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from holotype.catalog import schema as t
from holotype.catalog.statements import chunks

Corners = tuple[int, int, int, int]


def drawn_by(connection: Connection, worker: str, questions: Iterable[int]) -> dict[int, list[Corners]]:
    """The boxes that a worker drew for each of these questions, in the order of their numbers, from 0."""
    drawing = t.drawing.c
    corners = drawing.x_min, drawing.y_min, drawing.x_max, drawing.y_max
    asked = select(drawing.question_id, *corners).select_from(t.drawing.join(t.worker)).where(t.worker.c.name == worker)
    found: dict[int, list[Corners]] = {}
    for chunk in chunks(questions):
        some = asked.where(drawing.question_id.in_(chunk)).order_by(drawing.question_id, drawing.number)
        for question, x_min, y_min, x_max, y_max in connection.execute(some):
            found.setdefault(question, []).append((x_min, y_min, x_max, y_max))
    return found
