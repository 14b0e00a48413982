"""Pages of questions about boxes, as the catalog has them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from holotype.boxes.port import BoxPage, Item
from holotype.boxes.values import Corners, Kind, Question
from holotype.catalog import box_facts, box_subjects, pages, schema
from holotype.catalog.box_facts import KeptDrawing, KeptQuestion
from holotype.catalog.pages import KeptPage
from holotype.consensus.votes import Task
from holotype.crowd.port import Page

KINDS: Final = tuple(map(Kind, schema.BOX_KINDS))
"""The kinds of questions, by the number they are kept as."""


def question_of(kept: KeptQuestion) -> Question:
    """A question as it is kept."""
    return Question(kept.candidate, KINDS[kept.kind], kept.drawing, kept.shown)


def corners_of(kept: KeptDrawing) -> Corners | None:
    """The box of a drawing."""
    if kept.x_min is None or kept.y_min is None or kept.x_max is None or kept.y_max is None:
        return None
    return kept.x_min, kept.y_min, kept.x_max, kept.y_max


def read_box_page(connection: Connection, crowd: str, page: str) -> BoxPage | None:
    """A page of a crowd, with nobody in `seen`; None where there is none, or what it showed was forgotten."""
    return box_page_values(connection, pages.read(connection, crowd, [page])).get(page)


def box_page_values(connection: Connection, rows: Sequence[KeptPage]) -> dict[str, BoxPage]:
    """Pages as they are kept as values, by id, with nobody in `seen`; without those of which something was
    forgotten."""
    asked: dict[str, list[int]] = {row.id: json.loads(row.tasks) for row in rows}
    items = items_of(connection, {number for numbers in asked.values() for number in numbers})
    found = {}
    for row in rows:
        shown = tuple(items[number] for number in asked[row.id] if number in items)
        if shown and len(shown) == len(asked[row.id]):
            tasks = tuple(Task(item.number, row.wnid, item.sha256) for item in shown)
            page = Page(row.id, row.wnid, tasks, frozenset(), row.round)
            found[row.id] = BoxPage(page, shown[0].question.kind, shown)
    return found


def items_of(connection: Connection, numbers: Iterable[int]) -> dict[int, Item]:
    """Questions as they are shown, by their ids, whether their images can be seen or not."""
    asked = {one.id: question_of(one) for one in box_facts.questions(connection, numbers)}
    before = _seen_by_drawers(connection, {one.drawing for one in asked.values() if one.drawing})
    drawn = {number for one in asked.values() for number in (one.drawing, *before.get(one.drawing, one.shown))}
    box = {one.id: corners_of(one) for one in box_facts.drawings(connection, drawn - {0})}
    about = box_subjects.sizes(connection, {one.candidate for one in asked.values()})
    found = {}
    for number, question in asked.items():
        if (subject := about.get(question.candidate)) is not None:
            size = subject.sha256, subject.width, subject.height
            shown = (box.get(one) for one in before.get(question.drawing, question.shown))
            corners = tuple(one for one in shown if one is not None)
            found[number] = Item(number, question, *size, box.get(question.drawing), corners)
    return found


def _seen_by_drawers(connection: Connection, drawings: Collection[int]) -> dict[int, tuple[int, ...]]:
    """The drawings that those who made some had before them, by these: what is judged is shown among the same."""
    asked = {one.id: one.question for one in box_facts.drawings(connection, drawings)}
    shown = {one.id: one.shown for one in box_facts.questions(connection, asked.values())}
    return {drawing: shown[question] for drawing, question in asked.items()}
