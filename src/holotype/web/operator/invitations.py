"""Invitations: links by which people come in, made and ended."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from holotype.project.people import MOST_USES, ROLES
from holotype.web import pages
from holotype.web.operator.listing import day, leaf
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit, whole_number

SHOWN: Final = 50
MOST_DAYS: Final = 3_650


def show(visit: Visit) -> Response:
    """Every invitation, and a form that makes one."""
    return _shown(visit, "")


def make(visit: Visit) -> Response:
    """A new invitation; its link is shown on this page and never again."""
    uses, days = _number(visit, "uses", MOST_USES), _number(visit, "days", MOST_DAYS)
    secret = visit.db.people.invite(visit.field("role"), uses, days, visit.known.name)
    return _shown(visit, f"{visit.site}/join/{secret}")


def end(visit: Visit) -> Response:
    """Let nobody come in by an invitation any more."""
    numbers = {str(one.id): one.id for one in visit.db.people.invitations()}
    if (number := numbers.get(visit.field("invitation"))) is None:
        raise Refused(404, "There is no such invitation.")
    visit.db.people.end_invitation(number, visit.known.name)
    return pages.redirect("/project/invitations")


def _shown(visit: Visit, link: str) -> Response:
    found = leaf(visit, visit.db.people.invitations(), SHOWN)
    return pages.render(visit, "operator/invitations.html", leaf=found, link=link, roles=ROLES, most=MOST_USES, day=day)


def _number(visit: Visit, name: str, most: int) -> int:
    if (number := whole_number(visit.field(name), most)) is None:
        raise Refused(400, f"The number of {name} is 1 to {most:,}.")
    return number


routes = [
    page("/project/invitations", show, "operator"),
    page("/project/invitations", make, "operator", ("POST",)),
    page("/project/invitations/end", end, "operator", ("POST",)),
]
