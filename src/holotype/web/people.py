"""Coming in: by an invitation, by name and password, by a link of one's own; and going out."""

from __future__ import annotations

from starlette.responses import Response

from holotype.errors import AccountError
from holotype.project.names import look
from holotype.project.people import Account
from holotype.web import pages
from holotype.web.passwords import hashed, is_right
from holotype.web.routing import page
from holotype.web.sessions import LASTS
from holotype.web.visit import Refused, Visit, place, safe_path

SECRETIVE = frozenset({"operator", "curator"})
"""Roles that need a password: what they may do, others would suffer from."""


def show_invitation(visit: Visit) -> Response:
    """The page to come in by; nothing happens until a name is sent, so that looking ahead uses up nothing."""
    return _invitation(visit, 200, "")


def join(visit: Visit) -> Response:
    """A new account for somebody who was invited, who is then in."""
    invitation = visit.db.people.invitation(visit.path["secret"])
    try:
        password = ""
        if invitation.role in SECRETIVE:
            if visit.field("password") != visit.field("again"):
                raise AccountError("the two passwords differ")
            password = hashed(visit.field("password"))
        account = visit.db.people.join(visit.path["secret"], visit.field("name"), password)
    except AccountError as error:
        return _invitation(visit, 400, str(error))
    return _come_in(visit, account, "/welcome")


def _invitation(visit: Visit, status: int, wrong: str) -> Response:
    invitation = visit.db.people.invitation(visit.path["secret"])
    name = visit.field("name", "")
    needs = invitation.role in SECRETIVE
    return pages.render(
        visit, "people/join.html", status, invitation=invitation, needs_password=needs, wrong=wrong, name=name
    )


def welcome(visit: Visit) -> Response:
    """What a new account may do, and the link by which it comes back."""
    account = visit.known
    link = f"{visit.site}/return/{visit.signer.way_back(account.id, account.version)}"
    return pages.render(visit, "people/welcome.html", account=account, link=link)


def show_return(visit: Visit) -> Response:
    """The page of an account's own link."""
    return pages.render(visit, "people/return.html", account=_of_link(visit))


def come_back(visit: Visit) -> Response:
    """In again by one's own link."""
    return _come_in(visit, _of_link(visit), "/")


def _of_link(visit: Visit) -> Account:
    signed = visit.signer.read_way_back(visit.path["token"])
    account = None if signed is None else visit.db.people.account(signed[0])
    if account is None or signed is None or account.version != signed[1] or account.has_password:
        raise Refused(404, "This link holds no more: come in by your password, or ask for a new invitation.")
    return account


def show_login(visit: Visit) -> Response:
    """The page to sign in on."""
    return pages.render(visit, "people/login.html", onward=safe_path(visit.asked("next", "/")), wrong="", name="")


def login(visit: Visit) -> Response:
    """In by name and password; it takes as long where nobody is called so.

    Guesses are counted by name and place, and more slowly by name from everywhere: who guesses at a name keeps nobody
    out who was in lately where they are.
    """
    name, onward = visit.field("name"), safe_path(visit.field("next", "/"))
    found, here = visit.db.people.password_of(name), place(visit.request)
    visit.take(f"name {look(name)} at {here}", "secret")
    if found is None or not visit.request.app.state.places.lately(found[0].id, here, visit.now):
        visit.take(f"name {look(name)}", "name")
    if not is_right(found[1] if found else "", visit.field("password")) or found is None:
        wrong = "No account has this name and this password."
        return pages.render(visit, "people/login.html", 403, onward=onward, wrong=wrong, name=name)
    return _come_in(visit, found[0], onward)


def _come_in(visit: Visit, account: Account, onward: str) -> Response:
    answer = pages.redirect(onward)
    answer.set_cookie(
        visit.settings.cookie,
        visit.signer.session(account.id, account.version),
        max_age=LASTS,
        path="/",
        secure=visit.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def logout(visit: Visit) -> Response:
    """Out: here, or with `everywhere` in every browser."""
    if visit.account is not None and visit.field("everywhere", ""):
        visit.db.people.end_sessions(visit.account.id)
    answer = pages.redirect("/")
    answer.delete_cookie(visit.settings.cookie, "/", secure=visit.settings.secure, httponly=True, samesite="lax")
    return answer


routes = [
    page("/join/{secret}", show_invitation, None, kind="page"),
    page("/join/{secret}", join, None, ("POST",)),  # its secret cannot be guessed, and thirty may come from one place
    page("/welcome", welcome, "viewer"),
    page("/return/{token}", show_return, None),
    page("/return/{token}", come_back, None, ("POST",), kind="secret"),
    page("/login", show_login, None),
    page("/login", login, None, ("POST",), kind="secret"),
    page("/logout", logout, None, ("POST",)),
]
