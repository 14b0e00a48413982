"""Files that come in: who may send one is asked first, and it goes to the disk as it comes, up to so many bytes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from holotype.web import pages
from holotype.web.multipart import OneFile
from holotype.web.routing import (
    Page,
    account_of,
    check_address,
    check_host,
    check_rate,
    check_role,
    check_sender,
    refused,
    visit_of,
)
from holotype.web.visit import Refused, Visit

SECONDS: Final = 1_800.0
"""How long a file may take to come."""
SILENCE: Final = 20.0
"""How long its sender may say nothing."""
AT_ONCE: Final = 8
OF_ONE: Final = 2
"""Files that come in at a time: of all, and of one account or token."""
READ_IN_VAIN: Final = 4 << 20
"""Bytes that are read of a file that is not taken, for a browser shows no answer before it has sent all."""
_CHUNK: Final = 1 << 20

Got = TypeVar("Got", covariant=True)


class Arriving(Protocol[Got]):
    """A file that is coming in."""

    def write(self, chunk: bytes) -> None:
        """Take some more. Raises `HolotypeError` where that is too much."""

    def finish(self) -> Got:
        """All of it came."""

    def discard(self) -> None:
        """It is not wanted."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Where files come in: `admit` says whether one may, and where what is called so goes to; `take` answers."""

    admit: Callable[[Visit], Callable[[str], Arriving[object]]]
    take: Callable[[Visit, object], Response]


def form_upload(path: str, upload: Upload, role: str) -> Route:
    """A route that takes the file of a form of this site's pages from whoever has a role."""

    async def answer(request: Request) -> Response:
        return await _answer(request, upload, role, told)

    def told(visit: Visit, error: Exception) -> Response:
        return pages.refusal(visit, refused(visit, error))

    return Page(path, answer, methods=["POST"], name=f"{path} POST")


def token_upload(path: str, upload: Upload) -> Route:
    """A route that takes a file that is the whole body, called by ``?name=``, and answers in JSON. It reads no cookie:
    `Upload.admit` has to know who sends it."""

    async def answer(request: Request) -> Response:
        return await _answer(request, upload, None, json_refusal)

    return Page(path, answer, methods=["POST"], name=f"{path} POST")


def token_page(path: str, show: Callable[[Visit], Response]) -> Route:
    """A route to what is for programs: JSON, for whom `show` knows by a token; it reads no cookie."""

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_shown, request, show)

    return Page(path, answer, methods=["GET"], name=f"{path} GET")


def json_refusal(visit: Visit, error: Exception) -> Response:
    """What is wrong, in JSON."""
    found = refused(visit, error)
    more = {"Retry-After": str(max(1, round(found.retry_after)))} if found.retry_after else {}
    return JSONResponse({"error": found.text}, found.status, more)


def _shown(request: Request, show: Callable[[Visit], Response]) -> Response:
    visit = visit_of(request)
    try:
        check_host(visit)
        check_rate(visit, "page")
        check_address(request)
        answer = show(visit)
    except Exception as error:  # noqa: BLE001 - as of every page
        answer = json_refusal(visit, error)
    return _finished(visit, answer)


async def _answer(
    request: Request, upload: Upload, role: str | None, told: Callable[[Visit, Exception], Response]
) -> Response:
    visit = visit_of(request)
    arriving: Arriving[object] | None = None
    try:
        entered = await run_in_threadpool(_entered, visit, upload, role)
        if isinstance(entered, Response):
            return _finished(visit, entered)
        visit, opened = entered
        with _place(visit):
            async for name, chunk in _parts(request, role is not None):
                if arriving is None:
                    arriving = await run_in_threadpool(opened, name)
                await run_in_threadpool(arriving.write, chunk)
        if arriving is None:
            arriving = await run_in_threadpool(opened, request.query_params.get("name", ""))
        answer = await run_in_threadpool(_taken, visit, upload, arriving)
        arriving = None
    except Exception as error:  # noqa: BLE001 - as of every page
        answer = await run_in_threadpool(told, visit, error)
        await _read_in_vain(request)
    finally:
        if arriving is not None:
            await run_in_threadpool(arriving.discard)
    return _finished(visit, answer)


def _taken(visit: Visit, upload: Upload, arriving: Arriving[object]) -> Response:
    try:
        return upload.take(visit, arriving.finish())
    except BaseException:
        arriving.discard()
        raise


def _entered(
    visit: Visit, upload: Upload, role: str | None
) -> tuple[Visit, Callable[[str], Arriving[object]]] | Response:
    """Who sends a file, and where to; or the way to come in. Raises what keeps it from being taken."""
    by_browser = role is not None or not {"sec-fetch-site", "origin"}.isdisjoint(visit.request.headers)
    (check_sender if by_browser else check_host)(visit)
    if role is not None:
        visit = replace(visit, account=account_of(visit.request))
    check_rate(visit, "upload")
    check_address(visit.request)
    answer = check_role(visit, role)
    return answer if answer is not None else (visit, upload.admit(visit))


@contextmanager
def _place(visit: Visit) -> Iterator[None]:
    """One of the places for files that come in, of which nobody has all; who finds none is told to come again."""
    request = visit.request
    sender = f"account {visit.account.id}" if visit.account else request.headers.get("authorization", "")
    held: Counter[str] = request.app.state.uploads
    if held.total() >= AT_ONCE or held[sender] >= OF_ONE:
        raise Refused(503, "Many files are coming in just now: try again in a minute.", 60)
    held[sender] += 1
    try:
        yield
    finally:
        held[sender] -= 1
        if not held[sender]:
            del held[sender]


async def _parts(request: Request, form: bool) -> AsyncIterator[tuple[str, bytes]]:
    """The file in chunks of about a mebibyte, each with what it is called. Raises `Refused` where it does not come."""
    file = OneFile(request.headers.get("content-type", "")) if form else None
    name, held = request.query_params.get("name", ""), bytearray()
    until = time.monotonic() + SECONDS
    stream = aiter(request.stream())
    while (chunk := await _next(stream, until)) is not None:
        held += file.feed(chunk) if file else chunk
        if len(held) >= _CHUNK:
            yield (file.name or "") if file else name, bytes(held)
            held.clear()
    if file:
        file.finish()
    if held or file:
        yield (file.name or "") if file else name, bytes(held)


async def _next(stream: AsyncIterator[bytes], until: float) -> bytes | None:
    """The next chunk of a body, None after the last. Raises `Refused` where its sender is silent, or too slow."""
    try:
        return await asyncio.wait_for(anext(stream, None), min(SILENCE, until - time.monotonic()))
    except (TimeoutError, ClientDisconnect) as error:
        raise Refused(408, "The file did not arrive in time: send it again.") from error


async def _read_in_vain(request: Request) -> None:
    length = 0
    try:
        async with asyncio.timeout(SILENCE):
            async for chunk in request.stream():
                length += len(chunk)
                if length > READ_IN_VAIN:
                    return
    except (TimeoutError, ClientDisconnect, RuntimeError):  # it was read to its end
        return


def _finished(visit: Visit, answer: Response) -> Response:
    answer.headers.setdefault("Cache-Control", "no-store")
    return pages.add_headers(answer, pages.headers(False, visit.settings.secure))
