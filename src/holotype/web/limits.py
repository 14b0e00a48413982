"""How much one client may ask for: a bucket of tokens for each kind of request, filled again at a steady rate; and
who is no stranger."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

from holotype.web.sessions import LASTS
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


class Places:
    """Where accounts were in lately, as far as this process knows: there nobody else's guesses keep them out."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[int, str], float] = OrderedDict()
        self._lock = Lock()

    def note(self, account: int, place: str, now: float) -> None:
        """Hear that an account is in at a place, at a Unix time."""
        with self._lock:
            self._seen[account, place] = now
            self._seen.move_to_end((account, place))
            if len(self._seen) > CLIENTS:
                self._seen.popitem(last=False)

    def lately(self, account: int, place: str, now: float) -> bool:
        """Whether an account was in at a place within the time for which sessions hold."""
        with self._lock:
            return now - self._seen.get((account, place), float("-inf")) < LASTS
