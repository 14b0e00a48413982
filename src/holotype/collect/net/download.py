"""The downloader: a stream of URLs in, one outcome for each out, of any number in bounded memory.

URLs are read ahead and wait by site, so that sites take turns, each at its pace; a slow one holds up nobody else, for
what is read of it beyond a few hundred URLs waits on disk. What is temporary is tried again. Nothing is stored here,
and nothing is half done when it ends early: an outcome is whole, or it is not given.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from holotype.collect.net.aside import Aside
from holotype.collect.net.client import Bounds, Headers, Manners, Reply
from holotype.collect.net.memory import Memory, Share
from holotype.collect.net.names import site
from holotype.collect.net.outcomes import Fetched, Outcome, Refused, Unchanged, Wanted
from holotype.collect.net.pace import Pace
from holotype.collect.net.placeholders import HASHES, placeholder
from holotype.collect.net.urls import check_url
from holotype.collect.net.waiting import Waiting
from holotype.errors import NotFetched
from holotype.images.formats.magic import sniff

_WORTH_KEEPING: Final = ("content-type", "date", "link", "content-usage", "tdm-policy")
_ACCEPT: Final = "image/*"
_LONGEST_NAME: Final = 500


class Getter(Protocol):
    """What fetches one URL: `holotype.collect.net.client.Client`, or one that imitates it."""

    @property
    def pace(self) -> Pace:
        """The pace of sites."""

    @property
    def memory(self) -> Memory:
        """The memory that bodies share."""

    @property
    def ports(self) -> Collection[int]:
        """The ports that URLs may have."""

    async def get(
        self, url: str, headers: Mapping[str, str], bounds: Bounds, manners: Manners, share: Share, /
    ) -> Reply:
        """The answer to a GET; raises `NotFetched`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done at a time: fetches that are out, URLs that are read ahead, outcomes that wait to be looked at.

    Of the URLs ahead, `ahead_of_site` of one site are in memory; others are put aside, `aside` altogether. `per_site`
    are out of one site at a time; what is temporary is tried `retries` times more.
    """

    fetches: int = 256
    ahead: int = 20_000
    ahead_of_site: int = 500
    aside: int = 2_000_000
    results: int = 64
    per_site: int = 2
    retries: int = 2


@dataclass(frozen=True, slots=True)
class _Item:
    wanted: Wanted
    attempts: int = 0


async def download(
    urls: AsyncIterable[Wanted],
    client: Getter,
    manners: Manners,
    bounds: Bounds = Bounds(),
    plan: Plan = Plan(),
    placeholders: Mapping[str, str] = HASHES,
) -> AsyncGenerator[Outcome, None]:
    """The outcomes of a stream of URLs, in the order in which they are there; as many as there are URLs.

    `placeholders` are sha256 of pictures that stand for ones that are gone. Close it (``aclosing``) where it is not
    read to its end: then all that is out is called off.
    """
    run = _Run(client, manners, bounds, plan, placeholders)
    try:
        run.start(urls)
        while (result := await run.results.get()) is not None:
            if isinstance(result, BaseException):
                raise result
            outcome, share = result
            del result
            try:
                yield outcome
            finally:
                del outcome
                share.free()
            run.room.release()
    finally:
        await run.stop()


class _Run:
    """One download: who waits, who is out, and the outcomes that nobody has looked at."""

    def __init__(
        self, client: Getter, manners: Manners, bounds: Bounds, plan: Plan, placeholders: Mapping[str, str]
    ) -> None:
        self._client, self._manners, self._bounds = client, manners, bounds
        self._plan, self._placeholders = plan, placeholders
        self._waiting: Waiting[_Item] = Waiting(self._ready, plan.per_site)
        self._aside = Aside()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reader: asyncio.Task[None] | None = None
        self._alarm: tuple[float, asyncio.Task[None]] | None = None
        self._space = asyncio.Event()
        self._stopped = False
        self.room = asyncio.Semaphore(plan.results)
        self.results: asyncio.Queue[tuple[Outcome, Share] | BaseException | None] = asyncio.Queue()

    def start(self, urls: AsyncIterable[Wanted]) -> None:
        """Begin to read URLs, and to fetch them."""
        self._reader = asyncio.create_task(self._read(urls))
        self._reader.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Call off all that is out, and send nothing out any more."""
        self._stopped = True
        alarm = [self._alarm[1]] if self._alarm else []
        tasks = [*self._tasks, *alarm, *([self._reader] if self._reader else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while not self.results.empty():
            if isinstance(result := self.results.get_nowait(), tuple):
                result[1].free()
        self._aside.close()

    async def _read(self, urls: AsyncIterable[Wanted]) -> None:
        async for wanted in urls:
            while self._waiting.count >= self._plan.ahead or self._aside.count >= self._plan.aside:
                self._space.clear()
                await self._space.wait()
            try:
                host = check_url(wanted.url, self._client.ports).host
            except NotFetched as error:
                await self._give(_refused(wanted, error), self._client.memory.share())
            else:
                self._wait(site(host), wanted)
                self._fill()

    def _wait(self, name: str, wanted: Wanted) -> None:
        if name in self._aside or self._waiting.of(name) >= self._plan.ahead_of_site:
            self._aside.put(name, json.dumps([wanted.url, wanted.etag, wanted.modified]))
        else:
            self._waiting.add(name, _Item(wanted))

    def _ready(self, name: str) -> float:
        """When a site may be asked; one that asks for more patience than there is may be at once, to be refused."""
        pace = self._client.pace
        when = pace.ready(name)
        return when if when - pace.clock() <= pace.limits.patience else 0.0

    def _fill(self) -> None:
        """Send out what may be, and set an alarm for what may be later."""
        if self._stopped:
            return
        now = self._client.pace.clock()
        while len(self._tasks) < self._plan.fetches and (found := self._waiting.next(now)) is not None:
            if found[0] in self._aside:
                self._waiting.add(found[0], _Item(Wanted(*json.loads(self._aside.take(found[0])))))
            task = asyncio.create_task(self._fetch(*found))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
            self._space.set()
        when = self._waiting.when()
        if when is not None and len(self._tasks) < self._plan.fetches:
            self._set_alarm(when, now)

    def _set_alarm(self, when: float, now: float) -> None:
        if self._alarm is not None:
            if self._alarm[0] <= when:
                return
            self._alarm[1].cancel()
        self._alarm = when, asyncio.create_task(self._ring(when - now))

    async def _ring(self, seconds: float) -> None:
        await self._client.pace.sleep(seconds)
        self._alarm = None
        self._fill()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A fetch, or the reading of URLs, is over: others may go out; after the last of all, nothing comes."""
        self._tasks.discard(task)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            self.results.put_nowait(error)
            return
        self._fill()
        if not self._tasks and self._waiting.count == 0 and self._reader is not None and self._reader.done():
            self.results.put_nowait(None)

    async def _fetch(self, name: str, item: _Item) -> None:
        wanted, share = item.wanted, self._client.memory.share()
        outcome: Outcome
        try:
            reply = await self._client.get(wanted.url, _conditions(wanted), self._bounds, self._manners, share)
            outcome = judged(wanted, reply, self._placeholders)
        except NotFetched as error:
            share.free()
            if error.again and item.attempts < self._plan.retries:
                self._waiting.add(name, _Item(wanted, item.attempts + 1))
                self._waiting.done(name)
                return
            outcome = _refused(wanted, error)
        except BaseException:
            share.free()
            raise
        self._waiting.done(name)
        await self._give(outcome, share)

    async def _give(self, outcome: Outcome, share: Share) -> None:
        try:
            await self.room.acquire()
        except asyncio.CancelledError:
            share.free()
            raise
        self.results.put_nowait((outcome, share))


def judged(wanted: Wanted, reply: Reply, placeholders: Mapping[str, str] = HASHES) -> Outcome:
    """What an answer makes of a URL, by its bytes: types and lengths that servers tell count for nothing."""
    if reply.status == 304 and (wanted.etag or wanted.modified):
        return Unchanged(wanted.url, reply.url)
    if reply.status != 200:
        return Refused(wanted.url, "http_status", str(reply.status))
    if not sniff(reply.body):
        kind = reply.headers.get("Content-Type", "")[:60]
        return Refused(wanted.url, "not_an_image", f"{len(reply.body):,} bytes, sent as {kind!r}")
    if stands_for := placeholder(reply.url, reply.body, placeholders):
        return Refused(wanted.url, "placeholder", stands_for)
    headers = reply.headers
    etag, modified = (_to_send_back(headers.get(name, "")) for name in ("ETag", "Last-Modified"))
    return Fetched(wanted.url, reply.url, reply.body, etag, modified, _kept(headers))


def _to_send_back(said: str) -> str:
    """What a server calls its bytes, to ask it by; "" for what is too odd, or too long, to be kept or sent."""
    return said if said.isascii() and said.isprintable() and len(said) <= _LONGEST_NAME else ""


def _kept(headers: Headers) -> dict[str, str]:
    return {name: ", ".join(headers.getall(name)) for name in _WORTH_KEEPING if name in headers}


def _conditions(wanted: Wanted) -> dict[str, str]:
    headers = {"Accept": _ACCEPT}
    if wanted.etag:
        headers["If-None-Match"] = wanted.etag
    if wanted.modified:
        headers["If-Modified-Since"] = wanted.modified
    return headers


def _refused(wanted: Wanted, error: NotFetched) -> Refused:
    return Refused(wanted.url, error.reason, error.detail, error.again)
