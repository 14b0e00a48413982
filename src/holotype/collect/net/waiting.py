"""URLs that wait to be fetched, by site: whose turn is next, so that no site stands in the way of others."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Waiting(Generic[Item]):
    """Items in a queue for each site. Sites take turns, and each as soon as `ready` says that it may be asked.

    `ready` gives the time from which on a site may be asked, `at_once` is how many items of a site are out at a time.
    """

    def __init__(self, ready: Callable[[str], float], at_once: int) -> None:
        self._ready = ready
        self._at_once = at_once
        self._queues: dict[str, deque[Item]] = {}
        self._out: dict[str, int] = {}
        self._turns: deque[str] = deque()
        self._later: list[tuple[float, str]] = []
        self._listed: set[str] = set()  # sites in turns or in later
        self.count = 0

    def add(self, site: str, item: Item) -> None:
        """Let an item wait at the end of its site's queue."""
        self._queues.setdefault(site, deque()).append(item)
        self.count += 1
        self._list(site)

    def next(self, now: float) -> tuple[str, Item] | None:
        """The next item of a site that may be asked now, or None; it is out until `done`."""
        while self._later and self._later[0][0] <= now:
            self._turns.append(heapq.heappop(self._later)[1])
        while self._turns:
            site = self._turns.popleft()
            self._listed.discard(site)
            if site not in self._queues or self._out.get(site, 0) >= self._at_once:
                continue  # it comes back when one of its items is done, or when another waits
            if (when := self._ready(site)) > now:
                self._listed.add(site)
                heapq.heappush(self._later, (when, site))
                continue
            return site, self._taken(site)
        return None

    def of(self, site: str) -> int:
        """How many items of a site wait."""
        return len(self._queues.get(site, ()))

    def done(self, site: str) -> None:
        """An item of a site is out no more."""
        self._out[site] -= 1
        if not self._out[site]:
            del self._out[site]
        self._list(site)

    def when(self) -> float | None:
        """When the next site may be asked that may not be now; None where nothing waits for a time."""
        return self._later[0][0] if self._later else None

    def _taken(self, site: str) -> Item:
        queue = self._queues[site]
        item = queue.popleft()
        if not queue:
            del self._queues[site]
        self._out[site] = self._out.get(site, 0) + 1
        self.count -= 1
        self._list(site)
        return item

    def _list(self, site: str) -> None:
        if site in self._queues and site not in self._listed:
            self._listed.add(site)
            self._turns.append(site)
