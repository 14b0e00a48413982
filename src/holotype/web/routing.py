"""From a function of a visit to a route: who may, how often, how much, and what is said where it may not be."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from holotype.errors import HolotypeError, Overloaded, UnknownSynset
from holotype.project.people import Account
from holotype.web import pages
from holotype.web.visit import MOST_BYTES, Refused, Visit, read_form

Show = Callable[[Visit], Response]
log: Final = logging.getLogger("holotype.web")

BODY_SECONDS: Final = 20.0
"""How long the body of a request may take to come."""
SAFE: Final = frozenset({"GET", "HEAD"})


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

    return Route(path, answer, methods=list(methods), name=f"{path} {' '.join(methods)}")


async def _body(request: Request) -> bytes | Refused:
    """The body of a request, or what is wrong with it: it is too long, or does not come."""
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                found += chunk
                if len(found) > MOST_BYTES:
                    return Refused(413, f"A form has at most {MOST_BYTES:,} bytes.")
    except (TimeoutError, ClientDisconnect):
        return Refused(408, "The form did not arrive in time: send it again.")
    return bytes(found)


def _answer(request: Request, body: bytes | Refused, show: Show, role: str | None, kind: str, frames: bool) -> Response:
    state: Any = request.app.state
    now = time.time()
    account = None if frames else _account(request)
    visit = Visit(request, state.db, state.settings, state.signer, account, [], now)
    try:
        _check_sender(visit)
        client = f"account {account.id}" if account else f"address {request.client.host if request.client else ''}"
        if wait := state.buckets.wait(client, kind if request.method in SAFE or kind != "page" else "form", now):
            raise Refused(429, "That was too much at once: wait a moment and try again.", wait)
        if isinstance(body, Refused):
            raise body
        if (onward := _check_role(visit, role)) is not None:
            return _finished(visit, onward, frames)
        form = read_form(body, request.headers.get("content-type", ""))
        return _finished(
            visit, show(Visit(request, state.db, state.settings, state.signer, account, form, now)), frames
        )
    except Refused as error:
        return _finished(visit, pages.refusal(visit, error), frames)
    except Overloaded:
        refused = Refused(503, "Very many are at work just now: your answers are kept here, try again.", 5)
        return _finished(visit, pages.refusal(visit, refused), frames)
    except UnknownSynset as error:
        return _finished(visit, pages.refusal(visit, Refused(404, f"{error}.")), frames)
    except HolotypeError as error:
        return _finished(
            visit, pages.refusal(visit, Refused(400, f"{str(error)[:1].upper()}{str(error)[1:]}.")), frames
        )
    except Exception:
        log.exception("%s %s failed", request.method, request.scope["route"].path)
        refused = Refused(500, "Something went wrong here; whoever runs this site can see what.")
        return _finished(visit, pages.refusal(visit, refused), frames)


def _finished(visit: Visit, answer: Response, frames: bool) -> Response:
    return pages.add_headers(answer, pages.headers(frames, visit.settings.secure))


def _account(request: Request) -> Account | None:
    """Who a request's session is of, with the roles they have now."""
    state: Any = request.app.state
    signed = state.signer.read_session(request.cookies.get(state.settings.cookie, ""))
    if signed is None:
        return None
    account: Account | None = state.db.people.account(signed[0])
    return account if account is not None and account.version == signed[1] else None


def _check_sender(visit: Visit) -> None:
    """Raises `Refused` for a host that is not ours (DNS rebinding), and for a change that another site's page asks for.

    Browsers say by ``Sec-Fetch-Site`` where a request is from, and those that do not, or cannot without https, send
    ``Origin``; ``null`` is nobody's.
    """
    request = visit.request
    if request.url.hostname not in visit.settings.hosts:
        raise Refused(421, "This site has another name: look at the address.")
    if request.method in SAFE:
        return
    sent, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    own = {f"{request.url.scheme}://{request.url.netloc}", visit.settings.public_url} - {""}
    if sent != "same-origin" if sent is not None else origin not in own:
        raise Refused(403, "This was not sent from a page of this site: open the page here and send it again.")


def _check_role(visit: Visit, role: str | None) -> Response | None:
    """Nothing where who asks may; the way to come in for those who are not known. Raises `Refused`."""
    if role is None or (role == "public" and visit.settings.public):
        return None
    if visit.account is None:
        if visit.request.method in SAFE and not visit.fragment:
            return pages.redirect(f"/login?next={quote(_here(visit.request), safe='')}")
        raise Refused(401, "You are not signed in any more: come in again, what you did is kept.")
    if role not in ("public", "viewer") and not visit.account.may(role):
        raise Refused(403, f"Your account is not one of a {role}: ask an operator.")
    return None


def _here(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
