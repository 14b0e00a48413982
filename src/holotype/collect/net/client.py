"""The one HTTP client: for APIs, for robots.txt, and for images. Raw bytes within bounds, redirects by hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Protocol, Self

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from holotype.collect.net.agent import Agent
from holotype.collect.net.bodies import Bounds, check_encoding, read_body
from holotype.collect.net.failures import translated
from holotype.collect.net.guard import Guard
from holotype.collect.net.memory import Memory, Share
from holotype.collect.net.names import LookUp, Names, neighbourhood, site
from holotype.collect.net.pace import Pace
from holotype.collect.net.urls import Url, check_url, redirected
from holotype.errors import NotFetched

__all__ = ["MOST_REDIRECTS", "Bounds", "Client", "Headers", "Manners", "Reply", "Terms", "Unbound"]

Headers = CIMultiDictProxy[str]
"""Headers of an answer: names in any case, and several values of one name by ``getall``."""

MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ELSEWHERE: Final = frozenset({"accept", "if-none-match", "if-modified-since"})
_UNHEARD: Final = frozenset({"timeout", "connection"})
"""Reasons that a site gives without an answer; what it answers is heard by the pace already."""
_IDLE: Final = 2.5  # seconds that a connection is kept: a site with two is asked by each every other second
_CONNECT: Final = 15.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, headers and body, and the URL that gave it, after redirects."""

    status: int
    headers: Headers
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a URL may be asked for: `interval` seconds from one request to its site to the next, at least.

    `reserved` says that a file of the host reserves it, so that its own headers have to say otherwise.
    """

    interval: float = 0.0
    reserved: bool = False


class Manners(Protocol):
    """What is asked of a URL before it is, and of its headers before its body is read; both raise `NotFetched`."""

    async def before(self, url: Url, /) -> Terms:
        """On which terms a URL may be asked for; redirects are asked about, too."""

    def head(self, terms: Terms, status: int, headers: Headers, /) -> None:
        """Look at an answer's status and headers, those of redirects included."""


class Unbound:
    """No questions: for APIs, which are there for programs and have terms of their own, and for robots.txt itself."""

    async def before(self, _url: Url) -> Terms:
        """Nothing is asked."""
        return Terms()

    def head(self, _terms: Terms, _status: int, _headers: Headers) -> None:
        """Every answer will do."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request and how it is made; `left` is the rest of the deadline."""

    method: str
    url: Url
    headers: Mapping[str, str]
    data: bytes | None
    bounds: Bounds
    manners: Manners
    share: Share
    left: float
    stays: bool = False


class Client:
    """Asks servers, one request a turn of `pace`, of addresses that `guard` lets through, in the name of `agent`.

    Use it as an asynchronous context manager. No cookies are kept, no proxies are taken from the environment, nothing
    is decoded: an answer in a content encoding is refused ("encoded"), for a kilobyte could become a gigabyte.
    """

    def __init__(self, agent: Agent, guard: Guard, pace: Pace, look_up: LookUp | None = None) -> None:
        self.agent: Final = agent
        self.guard: Final = guard
        self.pace: Final = pace
        self.names: Final = Names(guard, look_up, pace.clock)
        self.memory: Final = Memory()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=self.names, use_dns_cache=False, socket_factory=self.guard.socket, limit=0, keepalive_timeout=_IDLE
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": self.agent.header, "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT),
            auto_decompress=False,
            read_bufsize=16 << 10,  # of each of many connections, for what comes faster than it is read
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        bounds: Bounds = Bounds(),
        manners: Manners = Unbound(),
        share: Share | None = None,
        stays: bool = False,
    ) -> Reply:
        """The answer to a GET, whatever its status, up to five redirects on; raises `NotFetched`.

        At another origin than the first, `headers` are left out, for they may hold keys; where the URL holds one, which
        a redirect may repeat, it `stays` at its origin, and no other is asked. A large body waits until there
        is memory for it; who looks at several at a time gives a `share`, and frees it when the body is done with.
        """
        own = self.memory.share()
        try:
            here = check_url(url, self.guard.ports)
            return await self._followed(
                _Asked("GET", here, headers or {}, None, bounds, manners, share or own, bounds.deadline, stays)
            )
        finally:
            own.free()

    @property
    def ports(self) -> Collection[int]:
        """The ports that URLs may have."""
        return self.guard.ports

    async def post(self, url: str, data: bytes, headers: Mapping[str, str], bounds: Bounds = Bounds()) -> Reply:
        """The answer to a POST to an API, whatever its status; a redirect is such an answer. Raises `NotFetched`."""
        share = self.memory.share()
        try:
            here = check_url(url, self.guard.ports)
            reply, _ = await self._one(_Asked("POST", here, headers, data, bounds, Unbound(), share, bounds.deadline))
            return reply
        finally:
            share.free()

    async def _followed(self, asked: _Asked) -> Reply:
        for _ in range(MOST_REDIRECTS + 1):
            reply, took = await self._one(asked)
            location = reply.headers.get("Location", "") if reply.status in _REDIRECTS else ""
            if not location:
                return reply
            there = redirected(asked.url, location, self.guard.ports)
            if asked.stays and there.origin != asked.url.origin:
                raise NotFetched("redirects", f"to {there.origin}, where no key is sent")
            headers = asked.headers if there.origin == asked.url.origin else _fit_elsewhere(asked.headers)
            asked = replace(asked, url=there, headers=headers, left=asked.left - took)
        raise NotFetched("redirects", f"more than {MOST_REDIRECTS}")

    async def _one(self, asked: _Asked) -> tuple[Reply, float]:
        """One request in its turn, and how long it took."""
        url = asked.url
        terms = await asked.manners.before(url)
        addresses = await self.names.addresses(url.host, url.port)
        async with self.pace.turn(site(url.host), neighbourhood(addresses[0]), terms.interval):
            start = time.monotonic()
            try:
                async with translated(asked.bounds.deadline), asyncio.timeout(asked.left) as whole:
                    reply = await self._exchange(asked, terms, whole)
            except NotFetched as error:
                if error.again and error.reason in _UNHEARD:
                    self.pace.failed(site(url.host))
                raise
            return reply, time.monotonic() - start

    async def _exchange(self, asked: _Asked, terms: Terms, whole: asyncio.Timeout) -> Reply:
        if self._session is None:
            raise RuntimeError("a client is used as a context manager")
        url = asked.url
        async with self._session.request(
            asked.method,
            URL(url.text, encoded=True),
            headers=asked.headers,
            data=asked.data,
            allow_redirects=False,
        ) as response:
            self.pace.heard(site(url.host), response.status, response.headers.get("Retry-After", ""))
            asked.manners.head(terms, response.status, response.headers)
            if response.status in _REDIRECTS and asked.method == "GET" and "Location" in response.headers:
                return Reply(response.status, response.headers, b"", url.text)
            check_encoding(response.headers)
            body = await read_body(response, asked.bounds, asked.share, whole)
            return Reply(response.status, response.headers, body, url.text)


def _fit_elsewhere(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() in _ELSEWHERE}
