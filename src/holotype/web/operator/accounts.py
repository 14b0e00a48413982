"""Accounts: who may come in, with which roles, since when and by whom."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from holotype.project.people import ROLES, Account
from holotype.web import pages
from holotype.web.operator.listing import day, leaf
from holotype.web.people import SECRETIVE
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit

SHOWN: Final = 50


def show(visit: Visit) -> Response:
    """Every account with the roles it has."""
    return pages.render(visit, "operator/accounts.html", leaf=leaf(visit, visit.db.people.everybody(), SHOWN))


def show_one(visit: Visit) -> Response:
    """An account, and what was ever granted to it."""
    account = _account(visit)
    return pages.render(
        visit,
        "operator/account.html",
        account=account,
        roles=ROLES,
        secretive=SECRETIVE,
        grants=visit.db.people.grants(account.id),
        day=day,
    )


def grant(visit: Visit) -> Response:
    """Let an account have a role. Raises `Refused` where that needs a password and they have none."""
    account = _account(visit)
    if visit.field("role") in SECRETIVE and not account.has_password:
        raise Refused(
            400,
            f"{account.name} comes in by a link alone, and who operates or curates needs a password: make an "
            "invitation for that role, by which they choose one.",
        )
    visit.db.people.grant(account.id, visit.field("role"), visit.known.name)
    return pages.redirect(f"/project/accounts/{account.id}")


def revoke(visit: Visit) -> Response:
    """Take a role from an account."""
    account = _account(visit)
    visit.db.people.revoke(account.id, visit.field("role"), visit.known.name)
    return pages.redirect(f"/project/accounts/{account.id}")


def end_sessions(visit: Visit) -> Response:
    """Sign an account out in every browser; its own link holds no more."""
    account = _account(visit)
    visit.db.people.end_sessions(account.id)
    return pages.redirect(f"/project/accounts/{account.id}")


def _account(visit: Visit) -> Account:
    found = visit.db.people.account(visit.path["number"]) if visit.path["number"] < 1 << 31 else None
    if found is None:
        raise Refused(404, "There is no such account.")
    return found


routes = [
    page("/project/accounts", show, "operator"),
    page("/project/accounts/{number:int}", show_one, "operator"),
    page("/project/accounts/{number:int}/grant", grant, "operator", ("POST",)),
    page("/project/accounts/{number:int}/revoke", revoke, "operator", ("POST",)),
    page("/project/accounts/{number:int}/end", end_sessions, "operator", ("POST",)),
]
