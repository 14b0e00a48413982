"""The board: which pages are open, as far as known, so that nobody who asks for one has to read them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import wants

Shelves = Mapping[float, Mapping[str, frozenset[str]]]
"""Ids of pages by when they were put up, oldest first, and by synset."""

_SECONDS: Final = 60.0
"""How old it may get: where several write at once, what is put up first may be seen last."""

_WHOLE: Final = 600.0
"""How old it may get where it is large, before all of it is read again, and not just what was put up since."""

_FEW: Final = 20_000
"""Postings up to which all of it is read each time."""

_MANY: Final = 64
"""Pages found closed that are remembered one by one, before the board is made anew without them."""


class Board:
    """The open pages of a crowd, read when pages are wanted that were not before, or are not any more.

    What a sheet came in for stays on it until somebody sees that: whoever takes a page asks whether it is open still.
    After more than a `few` postings only what was put up since is looked at. Thread-safe.
    """

    def __init__(self, crowd: str, few: int = _FEW) -> None:
        self._crowd, self._few = crowd, few
        self._lock = Lock()
        self._last: tuple[int, float] | None = None
        self._at = self._whole_at = 0.0
        self._from = 0
        self._seen: set[int] = set()
        self._shelves: Shelves = {}
        self._closed: frozenset[str] = frozenset()

    def shelves(self, connection: Connection, now: float) -> Shelves:
        """The pages that were open when that was read last."""
        last = wants.last_posting(connection)
        with self._lock:
            if last != self._last or not 0 <= now - self._at < _SECONDS:
                self._renew(connection, last, now)
            return self._shelves

    def _renew(self, connection: Connection, last: tuple[int, float], now: float) -> None:
        before = self._last
        if before is None or last[0] <= max(self._few, before[0] - 1) or not 0 <= now - self._whole_at < _WHOLE:
            self._shelves, self._closed = _shelved(wants.open_pages(connection, self._crowd)), _NO
            self._whole_at, self._from, self._seen = now, last[0], set()
        else:
            self._add(connection, before[0] if last != before else self._from)
        self._last, self._at = last, now

    def _add(self, connection: Connection, since: int) -> None:
        """Look at the pages of postings after one that were not looked at yet."""
        posted = wants.postings_since(connection, self._crowd, since)
        new = {page for number, page in posted.items() if number not in self._seen}
        self._seen |= posted.keys()
        opened = wants.open_pages(connection, self._crowd, new)
        self._shelves = _shelved(opened, _without(self._shelves, self._closed | new))
        self._closed = _NO

    def close(self, pages: Iterable[str]) -> None:
        """Hear that pages are not open any more."""
        with self._lock:
            self._closed |= frozenset(pages)
            if len(self._closed) >= _MANY:
                self._shelves, self._closed = _without(self._shelves, self._closed), _NO


_NO: Final[frozenset[str]] = frozenset()


def _shelved(pages: Iterable[wants.OpenPage], beside: Shelves = MappingProxyType({})) -> Shelves:
    """Pages, oldest first, and those that are shelved already."""
    found: dict[float, dict[str, set[str]]] = {}
    for page in pages:
        found.setdefault(page.at, {}).setdefault(page.wnid, set()).add(page.id)
    shelves = {at: dict(shelf) for at, shelf in beside.items()}
    for at, shelf in found.items():
        held = shelves.setdefault(at, {})
        held |= {wnid: held.get(wnid, _NO) | ids for wnid, ids in shelf.items()}
    return dict(sorted(shelves.items()))


def _without(shelves: Shelves, closed: frozenset[str]) -> Shelves:
    left = {at: {wnid: ids - closed for wnid, ids in shelf.items()} for at, shelf in shelves.items()}
    full = {at: {wnid: ids for wnid, ids in shelf.items() if ids} for at, shelf in left.items()}
    return {at: shelf for at, shelf in full.items() if shelf}
