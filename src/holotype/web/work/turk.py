"""The grid in a frame of Mechanical Turk: no account, no cookie; who has the page's address sees it."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response

from holotype.web import pages
from holotype.web.pages import TURK
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit
from holotype.web.work import views
from holotype.web.work.grid import Grid, Turk
from holotype.web.work.tasks import send

HOSTS: Final = frozenset(TURK.split())
"""Where a sheet may be handed in: else whoever makes an address could have our page post anywhere."""
PREVIEW: Final = "ASSIGNMENT_ID_NOT_AVAILABLE"
_ASSIGNMENT: Final = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)


def show(visit: Visit) -> Response:
    """The page of a HIT, or its preview."""
    sight = visit.db.desk.platform_page(visit.path["page"], visit.asked("k"))
    if sight is None:
        raise Refused(404, "There is no page at this address.")
    turk = turk_of(visit)
    grid = Grid(
        page=sight.page,
        form="turk",
        question=views.question(visit, sight.wnid),
        pictures=views.pictures(visit, sight),
        examples=views.examples(visit, sight),
        hand_in=f"{host(visit, turk)}/mturk/externalSubmit",
        following="",
        leave="",
        turk=turk,
    )
    requester = visit.settings.requester or urlsplit(visit.site).hostname
    return pages.render(visit, "work/turk.html", grid=grid, requester=requester)


def turk_of(visit: Visit) -> Turk:
    """What Mechanical Turk says of the frame. Raises `Refused`."""
    assignment = visit.asked("assignmentId", PREVIEW)
    if assignment == PREVIEW:
        return Turk("", True)
    if not _ASSIGNMENT.fullmatch(assignment):
        raise Refused(400, "Mechanical Turk did not say which assignment this is: open the HIT again.")
    return Turk(assignment, False)


def host(visit: Visit, turk: Turk) -> str:
    """Where the sheet goes. Raises `Refused` for anywhere but Mechanical Turk."""
    address = visit.asked("turkSubmitTo").rstrip("/")
    if turk.preview and not address:
        return min(HOSTS)
    if address not in HOSTS:
        raise Refused(400, "Mechanical Turk did not say where to hand in: open the HIT again.")
    return address


def picture(visit: Visit) -> Response:
    """A picture of a page that lies on a platform."""
    path = visit.path
    return send(
        visit.db.desk.picture(path["page"], path["position"], "", visit.asked("k"), visit.asked("large") == "1")
    )


routes = [
    page("/page/{page}", show, None, frames=True),
    page("/page/{page}/{position:int}.jpg", picture, None, kind="picture", frames=True),
]
