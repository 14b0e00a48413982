"""Workers: what is known of each, whom to watch, and whose votes count."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from holotype.crowd.reviews import Verdict, WorkerReview
from holotype.web import pages
from holotype.web.operator.listing import leaf
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit

SHOWN: Final = 50
LONGEST_REASON: Final = 500
_ORDER: Final = {Verdict.BLOCK: 0, Verdict.WATCH: 1, Verdict.OK: 2}


def show(visit: Visit) -> Response:
    """The workers whose votes count, those to block and to watch first, and those whose votes do not."""
    reviews = sorted(visit.db.overview.verdicts(), key=_urgency)
    return pages.render(
        visit, "operator/workers.html", leaf=leaf(visit, reviews, SHOWN), blocked=visit.db.workers.blocked()
    )


def _urgency(review: WorkerReview) -> tuple[int, int]:
    return _ORDER[review.verdict], -review.votes


def block(visit: Visit) -> Response:
    """Count a worker's votes no more."""
    visit.db.workers.block(visit.field("worker"), said_by(visit))
    return pages.redirect("/project/workers")


def unblock(visit: Visit) -> Response:
    """Count a worker's votes again."""
    visit.db.workers.unblock(visit.field("worker"), said_by(visit))
    return pages.redirect("/project/workers")


def said_by(visit: Visit) -> str:
    """The reason that a form gives, with who gives it."""
    return f"{reason(visit)} ({visit.known.name})"


def reason(visit: Visit) -> str:
    """The reason that a form gives. Raises `Refused` where it gives none."""
    text = " ".join(visit.field("reason").split())
    if not text or len(text) > LONGEST_REASON or not text.isprintable():
        raise Refused(400, f"Say why, in up to {LONGEST_REASON} characters.")
    return text


routes = [
    page("/project/workers", show, "operator"),
    page("/project/workers/block", block, "operator", ("POST",)),
    page("/project/workers/unblock", unblock, "operator", ("POST",)),
]
