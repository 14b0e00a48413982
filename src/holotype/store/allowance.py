"""How much may be asked of object stores in one go: requests cost money, and so may bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NamedTuple

from holotype.errors import OverAllowance

MOST_REQUESTS: Final = 4_000_000
"""Enough for all of ILSVRC2012, three times over; a store asks less than two dollars for as many."""
MOST_RECEIVED: Final = 100 << 30


class Cost(NamedTuple):
    """What is asked of an object store: `requests`, and bytes that are `received`."""

    requests: int
    received: int

    def plus(self, other: Cost, times: int = 1) -> Cost:
        """This and another, so many times."""
        return Cost(self.requests + times * other.requests, self.received + times * other.received)

    def __str__(self) -> str:
        requests = "1 request" if self.requests == 1 else f"{self.requests:,} requests"
        size = f"{self.received / 1e6:,.1f} MB" if self.received >= 1e5 else f"{self.received / 1e3:,.1f} KB"
        return f"{requests} to the object store, {size} received"


@dataclass(slots=True)
class Allowance:
    """How many requests may be made for the headers of archives, and how many bytes may come. Thread-safe.

    `requests` and `received` count what was asked so far.
    """

    most_requests: int = MOST_REQUESTS
    most_received: int = MOST_RECEIVED
    requests: int = 0
    received: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def take(self, url: str, length: int) -> None:
        """Count one request for so many bytes. Raises `OverAllowance` where it is one too many."""
        with self._lock:
            self.check(url, 1, length)
            self.requests += 1
            self.received += length

    def check(self, url: str, requests: int, received: int) -> None:
        """Raise `OverAllowance` where so much more would be too much."""
        if self.requests + requests > self.most_requests:
            needed, allowed = self.requests + requests, self.most_requests
            raise OverAllowance(url, f"{needed:,} requests or more", f"{allowed:,} requests")
        if self.received + received > self.most_received:
            raise OverAllowance(
                url, f"{(self.received + received) / 1e9:,.1f} GB or more", f"{self.most_received / 1e9:,.1f} GB"
            )
