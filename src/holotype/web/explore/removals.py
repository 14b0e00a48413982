"""Asking for a picture to be taken down, without an account; and what became of that."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import Response

from holotype.errors import CrowdError
from holotype.project.removals import LONGEST, MOST_IMAGES
from holotype.web import pages
from holotype.web.visit import Refused, Visit, sentence_of


def show_form(visit: Visit) -> Response:
    """The form."""
    key = visit.asked("image")[:LONGEST]
    said = f"{visit.site}/image/{key}" if key else ""
    return _form(visit, 200, {"said": said, "reason": "", "contact": ""}, "")


def ask(visit: Visit) -> Response:
    """A request: what it names is hidden from now on, and its receipt tells what becomes of it."""
    told = {name: visit.field(name, "") for name in ("said", "reason", "contact")}
    try:
        removal = visit.db.removals.ask(told["said"], told["reason"], told["contact"])
    except CrowdError as error:
        return _form(visit, 400, told, sentence_of(error))
    return pages.redirect(f"/removal/{removal.receipt}")


def _form(visit: Visit, status: int, told: dict[str, str], wrong: str) -> Response:
    return pages.render(
        visit, "explore/removal.html", status, told=told, wrong=wrong, most=MOST_IMAGES, longest=LONGEST
    )


def show_receipt(visit: Visit) -> Response:
    """What became of a request."""
    removal = visit.db.removals.status(visit.path["receipt"])
    if removal is None:
        raise Refused(404, "There is no request with this receipt.")
    return pages.render(visit, "explore/receipt.html", removal=removal, day=_day)


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%-d %B %Y}"
