"""Requests to take pictures down: looked at and decided, with a reason."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from holotype.web import pages
from holotype.web.operator.listing import day, leaf
from holotype.web.operator.workers import reason
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit

SHOWN: Final = 25


def show(visit: Visit) -> Response:
    """What waits for a decision, oldest first, or with ``all`` every request, newest first."""
    everything = bool(visit.asked("all"))
    some = visit.db.removals.history()[::-1] if everything else visit.db.removals.pending()
    return pages.render(
        visit,
        "operator/removals.html",
        leaf=leaf(visit, some, SHOWN),
        everything=everything,
        day=day,
        days=lambda at: int((visit.now - at) // 86_400),
    )


def decide(visit: Visit) -> Response:
    """Take the pictures of a request down for good, or keep them, with a reason."""
    removals, receipt, outcome = visit.db.removals, visit.field("receipt"), visit.field("outcome")
    if outcome not in ("accepted", "declined"):
        raise Refused(400, "A request is accepted or declined.")
    why = reason(visit)
    if removals.status(receipt) is None:
        raise Refused(404, "There is no such request.")
    (removals.accept if outcome == "accepted" else removals.decline)(receipt, visit.known.name, why)
    return pages.redirect("/project/removals")


routes = [
    page("/project/removals", show, "operator"),
    page("/project/removals", decide, "operator", ("POST",)),
]
