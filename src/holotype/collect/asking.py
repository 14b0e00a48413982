"""Asking a source: a page at a time, at the rates it allows, again where it says to come back, and no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from holotype.collect.net.client import Bounds, Client
from holotype.collect.net.pace import backoff
from holotype.collect.queries import Asked
from holotype.collect.sources.port import Admitting, Page, Rate, Reply, Request, Source
from holotype.errors import NotFetched, PassExpired, SourceBusy, SourceRefused

PATIENCE: Final = 120.0
"""Seconds that are waited for a source in one go; one that wants longer is put off."""
_ATTEMPTS: Final = 4
_BOUNDS: Final = Bounds(most_bytes=16 << 20, deadline=90.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of a source, and the body of the reply that it was read from, without keys."""

    page: Page
    body: bytes


def due(requests: Sequence[float], rates: Iterable[Rate], now: float) -> float:
    """When the next request may be made, after `requests` at ascending times, so that no rate is broken; `now` where it
    may be at once.

    >>> due([0.0, 1.0, 2.0], [Rate(3, 60)], 5.0), due([0.0, 1.0, 2.0], [Rate(4, 60)], 5.0)
    (60.0, 5.0)

    Requests of later times than `now` do not count: the clock has been set back, and nobody waits until it is there.
    """
    requests = [one for one in requests if one <= now]
    times = [requests[-rate.requests] + rate.seconds for rate in rates if len(requests) >= rate.requests]
    return max([now, *times])


class Asker:
    """Asks one `source` through a client; `requests` are the times, since 1970, of those that were made before.

    Where a source gives passes for a key, one is got, and another when it has expired. No key leaves the host that it
    is for: where there is one, a redirect to another is not followed. A page is given as soon as it is there, for it
    may be paid for; where its source wants to be left alone after it, the next request waits.
    """

    def __init__(
        self,
        source: Source,
        client: Client,
        now: Callable[[], float],
        requests: Iterable[float] = (),
        patience: float = PATIENCE,
    ) -> None:
        self.source = source
        self._bare, self._client, self._now, self._patience = source, client, now, patience
        self._requests = sorted(requests)
        self._held = 0.0  # on the clock of the pace

    async def answer(self, asked: Asked, cursor: str) -> Answer:
        """The page at a cursor.

        Raises `SourceBusy` where the source wants to be left alone for longer than one waits, and `SourceRefused`.
        """
        if self.source is self._bare:
            await self._admit()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                request = self.source.request(asked, cursor)
                reply = await self._reply(request)
                page = self.source.read(asked, cursor, reply)
            except PassExpired:
                if attempt > 1:
                    raise
                await self._admit()
            except SourceBusy as error:
                wait = backoff(attempt, 1.0) if error.seconds is None else error.seconds
                if wait > self._patience or attempt == _ATTEMPTS:
                    raise SourceBusy(str(error), wait) from None
                await self._client.pace.sleep(wait)
            else:
                self._held = self._client.pace.clock() + page.wait
                return Answer(page, request.hidden(reply.body))
        raise AssertionError("the last attempt returns or raises")

    async def _admit(self) -> None:
        if isinstance(self._bare, Admitting) and (request := self._bare.admission()) is not None:
            self.source = self._bare.admitted(await self._reply(request))

    async def _reply(self, request: Request) -> Reply:
        """The reply to a request, made when the source's rates allow it. Raises `SourceBusy` and `SourceRefused`."""
        name, rates = self.source.name, self.source.about.rates
        rate, held = due(self._requests, rates, self._now()) - self._now(), self._held - self._client.pace.clock()
        if (wait := max(rate, held)) > self._patience:
            raise SourceBusy(f"{name} may be asked {_told(rates)}" if rate >= held else f"{name} wants a rest", wait)
        if wait > 0:
            await self._client.pace.sleep(wait)
        sent = request.sent()
        self._requests.append(self._now())
        try:
            if sent.method == "POST":
                found = await self._client.post(sent.url, sent.body, sent.headers, _BOUNDS)
            else:
                found = await self._client.get(sent.url, sent.headers, _BOUNDS, stays=request.keyed)
        except NotFetched as error:
            if error.again:
                raise SourceBusy(f"{name} could not be asked: {error}") from None
            raise SourceRefused(f"{name} could not be asked: {error}", whole=True) from None
        headers = {key.lower(): ", ".join(found.headers.getall(key)) for key in found.headers}
        return Reply(found.status, headers, found.body)


def _told(rates: Iterable[Rate]) -> str:
    return " and ".join(f"{rate.requests:,} times in {rate.seconds:,} seconds" for rate in rates)
