"""Asking first: what a host says in robots.txt, tdmrep.json and ai.txt, and what an answer's headers say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from holotype.collect.net import optouts, robots
from holotype.collect.net.client import Bounds, Client, Headers, Terms
from holotype.collect.net.kept import Kept
from holotype.collect.net.optouts import Reserved, read_tdmrep, reservation, robots_tag
from holotype.collect.net.robots import Robots, read_robots, unreachable
from holotype.collect.net.urls import Url
from holotype.errors import NotFetched

DAY: Final = 86_400.0
"""For how many seconds a host's files are believed: the most that RFC 9309 allows."""
UNREACHABLE: Final = 600.0
"""For how many seconds a host is not asked again whose robots.txt could not be had."""

_FILES: Final = 16 << 20  # bytes of files kept
_RULES: Final = 1 << 20  # bytes of files kept as rules, which need thirty times as much
_OVERHEAD: Final = 500
_ATTEMPTS: Final = 3
_LONG: Final = 20_000
_BOUNDS: Final = Bounds(most_bytes=robots.MOST_BYTES, deadline=20.0, cut=True)
_THERE: Final = frozenset({200, 304})
_STATUSES: Final = {404: "dead", 410: "dead", 401: "forbidden", 403: "forbidden", 429: "throttled", 503: "throttled"}


@dataclass(frozen=True, slots=True)
class _File:
    """The answer to a request for a file of a host, or why there is none."""

    status: int = 0
    body: bytes = b""
    failure: NotFetched | None = None


_Files = tuple[_File, _File, _File]


@dataclass(frozen=True, slots=True)
class _Rules:
    """What the three files of a host say; `failure` is a reason for which no URL of it can be fetched."""

    robots: Robots
    ai: Robots
    reserved: Reserved
    failure: NotFetched | None = None


class Polite:
    """The manners of a collector of images (`holotype.collect.net.client.Manners`): it asks hosts first, once a day.

    `clock` gives seconds that only rise.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._tokens = client.agent.tokens
        self._files: Kept[str, _Files] = Kept(self._asked, _FILES, clock)
        self._rules: Kept[str, _Rules] = Kept(self._read, _RULES, clock)

    async def before(self, url: Url) -> Terms:
        """On which terms a URL may be asked for; raises `NotFetched` where it may not."""
        await self._client.names.addresses(url.host, url.port)
        rules = await self._rules.of(url.origin)
        if rules.failure is not None:
            raise NotFetched(rules.failure.reason, f"robots.txt: {rules.failure.detail}", again=rules.failure.again)
        if why := rules.robots.refused(url.text, self._tokens):
            raise NotFetched("robots", why, again=not rules.robots.open)
        if rules.ai.refused(url.text, self._tokens):
            raise NotFetched("opted_out", "ai.txt")
        return Terms(rules.robots.interval(self._tokens), rules.reserved.covers(url.target))

    def head(self, terms: Terms, status: int, headers: Headers) -> None:
        """Raise `NotFetched` where an answer is of no use by its status, or its owner reserves it."""
        if status >= 400 or (status < 300 and status not in _THERE):
            raise NotFetched(_STATUSES.get(status, "http_status"), str(status), again=status >= 500 or status == 429)
        if directive := robots_tag(headers.getall("X-Robots-Tag", ()), self._tokens):
            raise NotFetched("opted_out", f"X-Robots-Tag: {directive}")
        reserved = reservation(headers.getall("tdm-reservation", ()))
        if reserved or (reserved is None and terms.reserved):
            raise NotFetched("opted_out", "tdm-reservation: 1" if reserved else "tdmrep.json")

    async def _read(self, origin: str) -> tuple[_Rules, float, int]:
        """The rules of a host out of its files; long ones are read in a thread, beside all else."""
        files = await self._files.of(origin)
        size = sum(len(one.body) for one in files)
        rules = await asyncio.to_thread(_rules, files) if size > _LONG else _rules(files)
        return rules, _holds(files[0]), _OVERHEAD + size

    async def _asked(self, origin: str) -> tuple[_Files, float, int]:
        first = await self._robots(origin)
        rules = _robots(first)
        others = [
            await self._file(origin + path) if rules.refused(origin + path, self._tokens) is None else _File(404)
            for path in ("/ai.txt", "/.well-known/tdmrep.json")
        ]
        files = (first, *others)
        return (files[0], files[1], files[2]), _holds(first), _OVERHEAD + sum(len(one.body) for one in files)

    async def _robots(self, origin: str) -> _File:
        """robots.txt; where it cannot be had, it is asked for again, at the pace of a site in trouble."""
        found = _File()
        for _ in range(_ATTEMPTS):
            found = await self._file(f"{origin}/robots.txt")
            if not (found.failure.again if found.failure else found.status >= 500 or found.status == 429):
                break
        return found

    async def _file(self, url: str) -> _File:
        try:
            reply = await self._client.get(url, bounds=_BOUNDS)
        except NotFetched as error:
            return _File(failure=NotFetched(error.reason, error.detail, again=error.again))
        return _File(reply.status, reply.body)


def _rules(files: _Files) -> _Rules:
    first, ai, tdm = files
    failure = first.failure if first.failure and first.failure.reason in _OF_THE_HOST else None
    return _Rules(
        _robots(first),
        read_robots(ai.status, ai.body) if ai.status == 200 else Robots(),
        read_tdmrep(tdm.status, tdm.body[: optouts.MOST_BYTES]),
        failure,
    )


_OF_THE_HOST: Final = frozenset({"timeout", "connection", "tls", "too_slow", "throttled"})
"""What keeps us from a host's robots.txt and from its images alike; anything else is about robots.txt alone."""


def _robots(file: _File) -> Robots:
    if file.failure is None:
        return read_robots(file.status, file.body)
    if file.failure.reason == "redirects":  # RFC 9309 2.3.1.2: as if it was not there
        return Robots()
    return unreachable(f"robots.txt could not be read: {file.failure}")


def _holds(first: _File) -> float:
    in_vain = first.failure is not None or first.status >= 500 or first.status == 429
    return UNREACHABLE if in_vain else DAY
