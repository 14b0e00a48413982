"""Pages of boxes in a frame of Mechanical Turk: no account, no cookie; who has the page's address sees it."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from holotype.web import pages
from holotype.web.boxes import views
from holotype.web.boxes.sheet import BoxSheet
from holotype.web.boxes.work import TEMPLATES, picture_bytes
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit
from holotype.web.work.tasks import send
from holotype.web.work.turk import host, turk_of
from holotype.web.work.views import question


def show(visit: Visit) -> Response:
    """The page of a HIT, or its preview."""
    sight = visit.db.box_desk.platform_page(visit.path["page"], visit.asked("k"))
    if sight is None:
        raise Refused(404, "There is no page at this address.")
    turk, kind = turk_of(visit), sight.page.kind
    sheet = BoxSheet(
        sight.page.page.id,
        "turk",
        kind.value,
        question(visit, sight.page.page.wnid),
        views.pictures(visit, sight),
        views.ANSWERS[kind],
        f"{host(visit, turk)}/mturk/externalSubmit",
        leave="",
        turk=turk,
    )
    requester = visit.settings.requester or urlsplit(visit.site).hostname
    return pages.render(visit, TEMPLATES[sheet.kind], sheet=sheet, requester=requester)


def picture(visit: Visit) -> Response:
    """A picture of a page that lies on a platform."""
    return send(picture_bytes(visit, ""))


routes = [
    page("/box-page/{page}", show, None, frames=True),
    page("/box-page/{page}/{position:int}.jpg", picture, None, kind="picture", frames=True),
]
