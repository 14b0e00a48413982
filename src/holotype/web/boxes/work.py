"""Pages of a worker about boxes: one is lent, shown and handed in; its pictures; flags."""

from __future__ import annotations

from starlette.responses import Response

from holotype.crowd.lending import Nothing
from holotype.project.box_learning import BoxLesson
from holotype.web import pages
from holotype.web.boxes import views
from holotype.web.boxes.forms import read_form
from holotype.web.boxes.views import SIDES, page_address
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit
from holotype.web.work.forms import read_number
from holotype.web.work.tasks import PRIVATE, at_desk, handed_in, mine, send, wants_json

TEMPLATES = {"draw": "boxes/draw.html", "quality": "boxes/judge.html", "coverage": "boxes/judge.html"}


def next_page(visit: Visit) -> Response:
    """Lends a page: on to it or, where there is none, to where that is said."""
    found = visit.db.box_desk.next_page(visit.known.name, visit.now)
    return pages.redirect("/tasks" if isinstance(found, Nothing) else page_address(found))


def show_page(visit: Visit) -> Response:
    """The page, or on to what is to be learned before."""
    worker, id = visit.known.name, visit.path["page"]
    found = mine(lambda: visit.db.box_desk.page(worker, id, visit.now))
    if isinstance(found, BoxLesson):
        return pages.redirect(f"/boxes/lesson/{found.kind}/{found.wnid}")
    sheet = views.sheet(visit, found, "sheet", page_address(id))
    return pages.render(visit, TEMPLATES[sheet.kind], sheet=sheet)


def hand_in(visit: Visit) -> Response:
    """Keeps a sheet, and on to the next page; a sheet that is sent again is answered as it was."""
    worker, id = visit.known.name, visit.path["page"]
    sight = mine(lambda: visit.db.box_desk.asked(worker, id))
    replies, seconds = read_form(visit.form, sight.page, sight.hidden)
    visit.db.box_desk.hand_in(worker, id, replies, seconds, visit.now)
    found = visit.db.box_desk.next_page(worker, visit.now)
    return handed_in(visit, found, page_address)


draft, give_back = at_desk(lambda visit: visit.db.box_desk)


def picture(visit: Visit) -> Response:
    """A picture of a page, or of a lesson, for the worker whose address it is."""
    return send(picture_bytes(visit, visit.known.name))


def picture_bytes(visit: Visit, worker: str) -> bytes | None:
    """The picture at an address. Raises `Refused` for a size that there is not."""
    size = visit.asked("size")
    if size not in SIDES:
        raise Refused(404, "There is no picture at this address.")
    return visit.db.box_desk.picture(visit.path["page"], visit.path["position"], worker, visit.asked("k"), SIDES[size])


def flag(visit: Visit) -> Response:
    """Keeps what a worker says is wrong, and back to the page."""
    id, number = visit.field("page"), visit.field("number", "")
    position = read_number(number, 999) if number else None
    kind, text = visit.field("kind"), visit.field("text", "")
    mine(lambda: visit.db.flags.add_of_boxes(visit.known.name, id, position, kind, text, visit.now))
    return Response(status_code=204, headers=PRIVATE) if wants_json(visit) else pages.redirect(page_address(id))


routes = [
    page("/boxes/next", next_page, "worker", ("POST",)),
    page("/boxes/flag", flag, "worker", ("POST",)),
    page("/boxes/{page}", show_page, "worker"),
    page("/boxes/{page}", hand_in, "worker", ("POST",)),
    page("/boxes/{page}/draft", draft, "worker", ("POST",)),
    page("/boxes/{page}/leave", give_back, "worker", ("POST",)),
    page("/boxes/{page}/{position:int}.jpg", picture, "worker", kind="picture"),
]
