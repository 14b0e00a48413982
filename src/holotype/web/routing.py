"""From a function of a visit to a route: who may, how often, how much, and what is said where it may not be."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from holotype.errors import (
    HolotypeError,
    NoProject,
    NotTaken,
    OntologyExtended,
    Overloaded,
    ProjectError,
    UnknownBenchmark,
    UnknownImage,
    UnknownSynset,
)
from holotype.project.people import Account
from holotype.web import pages
from holotype.web.visit import MOST_BYTES, Refused, Visit, place, read_form, sentence_of

Show = Callable[[Visit], Response]
log: Final = logging.getLogger("holotype.web")

BODY_SECONDS: Final = 20.0
"""How long the body of a request may take to come."""
MOST_READ: Final = 4 * 1_048_576
"""Bytes of a body that are read, though those beyond `MOST_BYTES` only to be refused."""
SAFE: Final = frozenset({"GET", "HEAD"})


class Page(Route):
    """A route to whose numbers there is an end: Python reads none of more than 4,300 digits."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        try:
            return super().matches(scope)
        except ValueError:
            return Match.NONE, {}


def page(
    path: str,
    show: Show,
    role: str | None,
    methods: Sequence[str] = ("GET",),
    kind: str = "page",
    frames: bool = False,
) -> Route:
    """A route to what `show` answers, on a thread of its own.

    `role` is who may: None for everybody, "public" for everybody on a public site, "viewer" for whoever has an account,
    or a role of `holotype.project.people.ROLES`. `kind` is what a request counts as among the rates of the settings;
    with `frames` it is a page for Mechanical Turk's frames, which reads no cookie.
    """

    async def answer(request: Request) -> Response:
        body = b"" if request.method in SAFE else await _body(request)
        return await run_in_threadpool(_answer, request, body, show, role, kind, frames)

    return Page(path, answer, methods=list(methods), name=f"{path} {' '.join(methods)}")


async def _body(request: Request) -> bytes | Refused:
    """The body of a request, or what is wrong with it: it is too long, or does not come.

    Of one that is too long some more is read, for a browser shows no answer before it has sent all.
    """
    found, length = bytearray(), 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                length += len(chunk)
                if length <= MOST_BYTES:
                    found += chunk
                elif length > MOST_READ:
                    break
    except (TimeoutError, ClientDisconnect):
        return Refused(408, "The form did not arrive in time: send it again.")
    return bytes(found) if length <= MOST_BYTES else Refused(413, f"A form has at most {MOST_BYTES:,} bytes.")


def _answer(request: Request, body: bytes | Refused, show: Show, role: str | None, kind: str, frames: bool) -> Response:
    visit = visit_of(request)
    try:
        check_sender(visit)
        visit = replace(visit, account=None if frames else account_of(request))
        check_rate(visit, kind)
        if isinstance(body, Refused):
            raise body
        check_address(request)
        answer = check_role(visit, role)
        if answer is None:
            answer = show(replace(visit, form=read_form(body, request.headers.get("content-type", ""))))
    except Exception as error:  # noqa: BLE001 - whoever asks gets a page in words, and nothing of what went wrong
        answer = pages.refusal(visit, refused(visit, error))
    return pages.add_headers(answer, pages.headers(frames, visit.settings.secure))


def visit_of(request: Request) -> Visit:
    """A request as it came, of nobody yet."""
    state: Any = request.app.state
    return Visit(request, state.db, state.settings, state.signer, None, [], time.time())


def _renewed(visit: Visit, error: Exception) -> Exception:
    """What is said where the ontology was extended, by which the site goes from now on; or what that failed by."""
    try:
        visit.db.renew()
    except HolotypeError as found:
        return ProjectError(str(found))
    return error


def refused(visit: Visit, error: Exception) -> Refused:
    """What is said of an error; those that only whoever runs the site can mend go to the log."""
    if isinstance(error, OntologyExtended):
        error = _renewed(visit, error)
    match error:
        case Refused():
            return error
        case Overloaded():
            return Refused(503, "Very many are at work just now: your answers are kept here, try again.", 5)
        case OntologyExtended():
            return Refused(503, "Concepts were added to this site just now: try again.", 2)
        case NotTaken():
            return Refused(409, sentence_of(error))
        case UnknownBenchmark() | UnknownSynset() | UnknownImage() | NoProject():
            return Refused(404, sentence_of(error))
        case UnicodeDecodeError():
            return Refused(400, "This address is not in UTF-8.")
        case HolotypeError() if not isinstance(error, ProjectError):
            return Refused(400, sentence_of(error))
    log.error("%s %s failed", visit.request.method, visit.request.scope["route"].path, exc_info=error)
    if isinstance(error, ProjectError):
        return Refused(
            503, "This cannot be kept, or read, just now; whoever runs this site can see why. Try again.", 30
        )
    return Refused(500, "Something went wrong here; whoever runs this site can see what.")


def check_rate(visit: Visit, kind: str) -> None:
    """Raises `Refused` for a client that asks for too much at once."""
    client = f"account {visit.account.id}" if visit.account else place(visit.request)
    visit.take(client, kind if visit.request.method in SAFE or kind != "page" else "form")


def account_of(request: Request) -> Account | None:
    """Who a request's session is of, with the roles they have now."""
    state: Any = request.app.state
    signed = state.signer.read_session(request.cookies.get(state.settings.cookie, ""))
    if signed is None:
        return None
    account: Account | None = state.db.people.account(signed[0])
    if account is None or account.version != signed[1]:
        return None
    state.places.note(account.id, place(request), time.time())
    return account


def check_host(visit: Visit) -> None:
    """Raises `Refused` for a host that is not ours (DNS rebinding)."""
    if visit.request.url.hostname not in visit.settings.hosts:
        raise Refused(421, "This site has another name: look at the address.")


def check_sender(visit: Visit) -> None:
    """Raises `Refused` for a host that is not ours, and for a change that another site's page asks for.

    Browsers say by ``Sec-Fetch-Site`` where a request is from, and those that do not, or cannot without https, send
    ``Origin``; ``null`` is nobody's.
    """
    check_host(visit)
    request = visit.request
    if request.method in SAFE:
        return
    sent, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    own = {f"{request.url.scheme}://{request.url.netloc}", visit.settings.public_url} - {""}
    if sent != "same-origin" if sent is not None else origin not in own:
        raise Refused(403, "This was not sent from a page of this site: open the page here and send it again.")


def check_address(request: Request) -> None:
    """Raises `Refused` for an address with a NUL, which no name here has and not every database takes."""
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise Refused(404, "There is no such address.")


def check_role(visit: Visit, role: str | None) -> Response | None:
    """Nothing where who asks may; the way to come in for those who are not known. Raises `Refused`."""
    if role is None or (role == "public" and visit.settings.public):
        return None
    if visit.account is None:
        if visit.request.method in SAFE and not visit.fragment:
            return pages.redirect(f"/login?next={quote(_here(visit.request), safe='')}")
        raise Refused(401, "You are not signed in any more: come in again, what you did is kept.")
    if not visit.account.roles:
        raise Refused(403, "Your account has no role any more: ask an operator.")
    if role not in ("public", "viewer") and not visit.account.may(role):
        raise Refused(403, f"Your account is not one of a {role}: ask an operator.")
    return None


def _here(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
