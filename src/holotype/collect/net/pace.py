"""The pace: how often, and how many at a time, a site and an address are asked; and when they are left alone.

A site is the domain that somebody registered (`holotype.collect.net.names.site`): its hosts share a pace. Many sites
can lie behind one address, which has a pace of its own, wider. Whoever says Retry-After is not asked before, at any of
its hosts; who is in trouble without saying for how long is left alone for twice as long each time, give or take.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from holotype.collect.retry_after import retry_after
from holotype.errors import NotFetched

_MOST_LINES: Final = 20_000
_FIRST_BACKOFF: Final = 1.0
_LONGEST_BACKOFF: Final = 300.0
_LONGEST_HOLD: Final = 86_400.0
_BUSY: Final = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `connections` at a time, `interval` seconds from one request to the next, `burst` of them at once."""

    connections: int = 2
    interval: float = 1.0
    burst: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """The pace of a site and of an address, connections altogether, and how many seconds a request waits at most.

    A host that wants to be left alone for longer than `patience` is not waited for: its URLs are "throttled".
    """

    site: Rate = field(default_factory=Rate)
    address: Rate = field(default_factory=lambda: Rate(connections=8, interval=0.1, burst=8))
    connections: int = 64
    patience: float = 120.0


class _Line:
    """Those who want something of one site or address, one behind the other."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.free = asyncio.Semaphore(rate.connections)
        self.users = 0
        self.failures = 0
        self.held = 0.0
        self._due = 0.0  # when the next request would be due, had none come in a burst

    def ready(self) -> float:
        """When the next request may begin."""
        return max(self.held, self._due - (self.rate.burst - 1) * self.rate.interval)

    def began(self, now: float, interval: float) -> None:
        self._due = max(now, self._due) + max(interval, self.rate.interval)


class Pace:
    """Turns to ask sites and addresses. One for a whole program, in one event loop.

    `clock` gives seconds that only rise, `now` seconds since 1970, `chance` numbers from 0 to 1.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.limits = limits or Limits()
        self.clock: Final = clock
        self.sleep: Final = sleep
        self._now = now
        self._chance = chance
        self._all = asyncio.Semaphore(self.limits.connections)
        self._lines: OrderedDict[tuple[str, str], _Line] = OrderedDict()

    def ready(self, site: str) -> float:
        """When the next request to a site may begin, on `clock`; a time that is past where it may begin now."""
        line = self._lines.get(("site", site))
        return line.ready() if line else 0.0

    @asynccontextmanager
    async def turn(self, site: str, address: str, interval: float = 0.0) -> AsyncIterator[None]:
        """A turn at a site, and at an address of it, no sooner than `interval` seconds before the next of the site.

        Raises `NotFetched` ("throttled") where it would begin later than one waits for.
        """
        lines = self._line("site", site), self._line("address", address)
        for line in lines:
            line.users += 1
        try:
            async with lines[0].free, lines[1].free:
                await self._begin(*lines, interval)
                async with self._all:
                    yield
        finally:
            for line in lines:
                line.users -= 1

    async def _begin(self, of_site: _Line, of_address: _Line, interval: float) -> None:
        while (wait := max(of_site.ready(), of_address.ready()) - self.clock()) > 0:
            if wait > self.limits.patience:
                raise NotFetched("throttled", f"asked to wait for {wait:,.0f} seconds", again=True)
            await self.sleep(wait)
        of_site.began(self.clock(), interval)
        of_address.began(self.clock(), 0.0)

    def heard(self, site: str, status: int, later: str = "") -> None:
        """What a site answered, and its Retry-After: after some answers it is left alone for a while."""
        seconds = retry_after(later, self._now(), _LONGEST_HOLD) if status >= 400 else None
        if status >= 500 or status in _BUSY:
            self.failed(site, seconds)
        else:
            self._line("site", site).failures = 0
            if seconds:
                self.hold(site, seconds)

    def failed(self, site: str, seconds: float | None = None) -> None:
        """A site is in trouble: it is left alone for as long as it says, or for longer each time."""
        line = self._line("site", site)
        line.failures += 1
        self.hold(site, backoff(line.failures, self._chance()) if seconds is None else seconds)

    def hold(self, site: str, seconds: float) -> None:
        """A site is left alone for some seconds, from now."""
        line = self._line("site", site)
        line.held = max(line.held, self.clock() + min(seconds, _LONGEST_HOLD))

    def _line(self, kind: str, key: str) -> _Line:
        line = self._lines.get((kind, key))
        if line is None:
            self._forget()
            rate = self.limits.site if kind == "site" else self.limits.address
            line = self._lines[kind, key] = _Line(rate)
        self._lines.move_to_end((kind, key))
        return line

    def _forget(self) -> None:
        """Lines used longest ago go, where nobody stands in them and nothing is to be remembered of them."""
        for key in list(islice(self._lines, 2)) if len(self._lines) >= _MOST_LINES else ():
            line = self._lines[key]
            if line.users == 0 and line.ready() <= self.clock():
                del self._lines[key]
            else:
                self._lines.move_to_end(key)


def backoff(failures: int, chance: float) -> float:
    """Seconds to leave a site alone after so many failures in a row: twice as long each time, half of it by chance.

    >>> backoff(1, 1.0), backoff(3, 1.0), backoff(3, 0.0), backoff(30, 1.0)
    (1.0, 4.0, 2.0, 300.0)
    """
    longest = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** (min(failures, 30) - 1))
    return longest * (0.5 + chance / 2)
