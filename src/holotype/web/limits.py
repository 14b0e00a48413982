"""How much one client may ask for: a bucket of tokens for each kind of request, filled again at a steady rate."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

from holotype.web.settings import Rates

CLIENTS: Final = 50_000
"""Buckets that are kept; the one that was asked longest ago goes first."""


class Buckets:
    """The buckets of all clients."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._held: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, client: str, kind: str, now: float) -> float:
        """Take a token at a time in seconds: 0 where there is one, else the seconds until there will be."""
        rate, most = self._rates[kind]
        with self._lock:
            left, at = self._held.pop((client, kind), (most, now))
            left = min(most, left + max(0.0, now - at) * rate)
            self._held[client, kind] = (left - 1, now) if left >= 1 else (left, now)
            if len(self._held) > CLIENTS:
                self._held.popitem(last=False)
        return 0.0 if left >= 1 else (1 - left) / rate
