"""What is learned before a worker's first pages of boxes: drawings and answers of which it is told what was right."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from holotype.boxes.lessons import mark_answer
from holotype.boxes.values import Kind
from holotype.crowd.lending import Nothing
from holotype.project.box_desk import BoxSight
from holotype.project.box_learning import DrawingMarked, Marked
from holotype.web import pages
from holotype.web.boxes import views
from holotype.web.boxes.forms import read_form
from holotype.web.boxes.sheet import AnswerMark, BoxSheet, DrawingMark
from holotype.web.boxes.work import TEMPLATES
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit
from holotype.web.work.tasks import mine


def show(visit: Visit) -> Response:
    """The page of a lesson that comes next, or on to the worker's page."""
    kind, wnid = _asked(visit)
    sight = visit.db.box_desk.lesson(visit.known.name, kind, wnid, visit.now)
    if sight is None:
        return pages.redirect(_onward(visit))
    sheet = _sheet(visit, sight)
    return pages.render(visit, TEMPLATES[sheet.kind], sheet=sheet)


def hand_in(visit: Visit) -> Response:
    """What was right; what was handed in first is kept."""
    worker, id, (kind, _) = visit.known.name, visit.field("page"), _asked(visit)
    sight = mine(lambda: visit.db.box_desk.lesson_sight(worker, id))
    if sight.page.kind is not kind:
        raise Refused(400, "This page is of something else.")
    sheet = _sheet(visit, sight)
    replies, seconds = read_form(visit.form, sight.page)
    given = [reply for reply in replies if reply is not None]
    marked = mine(lambda: visit.db.box_desk.train(worker, id, given, seconds or 0.0, visit.now))
    if isinstance(marked, DrawingMarked):
        return pages.render(visit, "boxes/drawn.html", sheet=sheet, mark=_drawing(marked))
    return pages.render(visit, "boxes/judged.html", sheet=sheet, marks=_answers(kind, marked), passed=marked.passed)


def _asked(visit: Visit) -> tuple[Kind, str]:
    kind = visit.path["kind"]
    if kind not in TEMPLATES:
        raise Refused(404, "There is no such lesson.")
    return Kind(kind), visit.db.ontology[visit.path["wnid"]].wnid


def _sheet(visit: Visit, sight: BoxSight) -> BoxSheet:
    done, steps = visit.db.box_desk.progress(visit.known.name, sight.page.kind)
    address = f"/boxes/lesson/{sight.page.kind}/{visit.path['wnid']}"
    return replace(views.sheet(visit, sight, "training", address), step=min(done + 1, steps), steps=steps)


def _drawing(marked: DrawingMarked) -> DrawingMark:
    known, box = marked.exercise, marked.drawn.box
    left, shown = views.rectangles(known.left), views.rectangles(known.shown)
    drawn = None if box is None else views.rectangle(box)
    so_far = marked.correct, marked.done, marked.steps, marked.is_over, marked.passed
    return DrawingMark(marked.mark.value, left, shown, drawn, *so_far)


def _answers(kind: Kind, marked: Marked) -> list[AnswerMark]:
    right = {Kind.QUALITY: ("not good", "good"), Kind.COVERAGE: ("one has none", "all have one")}[kind]
    found = []
    for given, yes in marked.marks:
        word = views.word_of(kind, given)
        found.append(AnswerMark(views.text_of(kind, word), right[yes], mark_answer(given, yes)))
    return found


def _onward(visit: Visit) -> str:
    found = visit.db.box_desk.outlook(visit.known.name, visit.now)
    return views.page_address(found) if found and not isinstance(found, Nothing) else "/tasks"


routes = [
    page("/boxes/lesson/{kind}/{wnid}", show, "worker"),
    page("/boxes/lesson/{kind}/{wnid}", hand_in, "worker", ("POST",)),
]
