"""Pages of a worker: what to do, the grid, its pictures, its hand-in; flags."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from holotype.crowd.lending import Nothing
from holotype.crowd.lessons import Lesson
from holotype.errors import NotLent
from holotype.project.box_desk import BoxDesk
from holotype.project.desk import Desk
from holotype.project.showing import Sight
from holotype.web import pages
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit
from holotype.web.work import views
from holotype.web.work.forms import read_number, read_sheet
from holotype.web.work.grid import BoxWork, Grid, TasksPage
from holotype.web.work.views import page_address

Result = TypeVar("Result")

PRIVATE: Final = {"Cache-Control": "no-store"}
PICTURES: Final = "private, max-age=1800"
"""How long a browser keeps a picture, whatever it is of: what is fetched ahead is not fetched again."""


def show_tasks(visit: Visit) -> Response:
    """Where a worker starts: their own figures, and whether there is anything to do."""
    worker = visit.known.name
    figures, found = visit.db.desk.figures(worker), visit.db.desk.outlook(worker, visit.now)
    about = _outlook(visit, found, "tasks")
    told = TasksPage("/tasks/next", views.progress(figures), figures.right, *about, boxes=_boxes(visit))
    return pages.render(visit, "work/tasks.html", tasks=told)


def _outlook(visit: Visit, found: str | Nothing, root: str) -> tuple[str, int, str, str]:
    """Why there is no page, and the minutes after which to look again; the page that a worker has, and how they give it
    back."""
    if isinstance(found, Nothing):
        return found.reason, max(1, math.ceil((found.again - visit.now) / 60)), "", ""
    current = f"/{root}/{quote(found, safe='')}" if found else ""
    return "", 0, current, f"{current}/leave" if current else ""


def _boxes(visit: Visit) -> BoxWork | None:
    """What there is to do about boxes."""
    desk, worker = visit.db.box_desk, visit.known.name
    figures = desk.figures(worker)
    if not figures.pages and not desk.is_open():
        return None
    about = _outlook(visit, desk.outlook(worker, visit.now), "boxes")
    return BoxWork("/boxes/next", *about, figures.pages, figures.seconds)


def next_page(visit: Visit) -> Response:
    """Lends a page: on to it or, where there is none, to where that is said."""
    worker, after = visit.known.name, visit.field("after", "")[:64]
    found = visit.db.desk.next_page(worker, visit.now, after)
    onward = "/tasks" if isinstance(found, Nothing) else page_address(found)
    if not wants_json(visit):
        return pages.redirect(onward)
    if isinstance(found, Nothing):
        return JSONResponse({"next": None, "pictures": []}, headers=PRIVATE)
    sight = visit.db.desk.page(worker, found, visit.now, ahead=True)
    shown = views.pictures(visit, sight, worker) if isinstance(sight, Sight) else ()
    return JSONResponse({"next": onward, "pictures": [one.src for one in shown]}, headers=PRIVATE)


def mine(work: Callable[[], Result]) -> Result:
    """What the desk says of a page; where it is not the worker's, a 403 that does not tell whether there is one."""
    try:
        return work()
    except NotLent as error:
        raise Refused(403, "This page was not given to you: take one from the list of what there is to do.") from error


def wants_json(visit: Visit) -> bool:
    """Whether a script asks, which goes on by itself."""
    return "application/json" in visit.request.headers.get("accept", "")


def show_page(visit: Visit) -> Response:
    """The grid, or on to what is to be learned before."""
    worker, id = visit.known.name, visit.path["page"]
    found = mine(lambda: visit.db.desk.page(worker, id, visit.now))
    if isinstance(found, Lesson):
        return pages.redirect(f"/{found.kind}/{found.wnid}")
    grid = Grid(
        page=found.page,
        form="sheet",
        question=views.question(visit, found.wnid),
        pictures=views.pictures(visit, found, worker),
        examples=views.examples(visit, found),
        hand_in=page_address(id),
        done=found.answers is not None,
        progress=views.progress(visit.db.desk.figures(worker, with_gold=False)),
        draft=f"{page_address(id)}/draft",
        flag="/flag",
        flag_kinds=views.FLAG_WORDS,
        picture_flag_kinds=views.PICTURE_FLAG_WORDS,
    )
    return pages.render(visit, "work/grid.html", grid=grid)


def hand_in(visit: Visit) -> Response:
    """Keeps a sheet, and on to the next page; a sheet that is sent again is answered as it was."""
    worker, id = visit.known.name, visit.path["page"]
    length = mine(lambda: visit.db.desk.length(worker, id))
    answers, seconds = read_sheet(visit.form, length)
    visit.db.desk.hand_in(worker, id, answers, seconds, visit.now)
    found = visit.db.desk.next_page(worker, visit.now)
    return handed_in(visit, found, page_address)


Handler = Callable[[Visit], Response]


def handed_in(visit: Visit, found: str | Nothing, address: Callable[[str], str]) -> Response:
    """On to the next page after a hand-in, which has an address, or to what there is to do."""
    onward = "/tasks" if isinstance(found, Nothing) else address(found)
    if wants_json(visit):
        return JSONResponse({"handed_in": True, "next": onward}, headers=PRIVATE)
    return pages.redirect(onward)


def at_desk(desk: Callable[[Visit], Desk | BoxDesk]) -> tuple[Handler, Handler]:
    """What hears that a worker is still at a page, and what lets others have one."""

    def draft(visit: Visit) -> Response:
        until = desk(visit).renew(visit.known.name, visit.path["page"], visit.now)
        if until is None:
            raise Refused(403, "This page was not given to you.")
        return Response(status_code=204 if until > visit.now else 409, headers=PRIVATE)

    def give_back(visit: Visit) -> Response:
        desk(visit).give_back(visit.known.name, visit.path["page"], visit.now)
        return pages.redirect("/tasks")

    return draft, give_back


draft, give_back = at_desk(lambda visit: visit.db.desk)


def picture(visit: Visit) -> Response:
    """A picture of a page, or of a training page, for the worker whose address it is."""
    path, large = visit.path, visit.asked("large") == "1"
    data = visit.db.desk.picture(path["page"], path["position"], visit.known.name, visit.asked("k"), large)
    return send(data)


def example(visit: Visit) -> Response:
    """A public example."""
    return send(visit.db.desk.example(visit.path["number"], visit.asked("k"), visit.asked("large") == "1"))


def send(data: bytes | None) -> Response:
    """A picture, with the same headers whatever it is of. Raises `Refused` where there is none."""
    if data is None:
        raise Refused(404, "There is no picture at this address.")
    return pages.picture(data, cache=PICTURES)


def flag(visit: Visit) -> Response:
    """Keeps what a worker says is wrong, and back to the page."""
    id, number = visit.field("page"), visit.field("number", "")
    position = read_number(number, 999) if number else None
    kind, text = visit.field("kind"), visit.field("text", "")
    mine(lambda: visit.db.flags.add(visit.known.name, id, position, kind, text, visit.now))
    return Response(status_code=204, headers=PRIVATE) if wants_json(visit) else pages.redirect(page_address(id))


routes = [
    page("/tasks", show_tasks, "worker"),
    page("/tasks/next", next_page, "worker", ("POST",)),
    page("/tasks/{page}", show_page, "worker"),
    page("/tasks/{page}", hand_in, "worker", ("POST",)),
    page("/tasks/{page}/draft", draft, "worker", ("POST",)),
    page("/tasks/{page}/leave", give_back, "worker", ("POST",)),
    page("/tasks/{page}/{position:int}.jpg", picture, "worker", kind="picture"),
    page("/example/{number:int}.jpg", example, None, kind="picture", frames=True),
    page("/flag", flag, "worker", ("POST",)),
]
