"""The board: which pages are open, as far as known, so that nobody who asks for one has to read them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import wants

Shelves = Mapping[float, Mapping[str, frozenset[str]]]
"""Ids of pages by when they were put up, oldest first, and by synset."""

_SECONDS: Final = 60.0
"""How old it may get: where several write at once, what is put up first may be seen last."""

_MANY: Final = 64
"""Pages found closed that are remembered one by one, before the board is made anew without them."""


class Board:
    """The open pages of a crowd, read when pages are wanted that were not before, or are not any more.

    What a sheet came in for stays on it until somebody sees that: whoever takes a page asks whether it is open still.
    Thread-safe.
    """

    def __init__(self, crowd: str) -> None:
        self._crowd = crowd
        self._lock = Lock()
        self._key: tuple[int, float] | None = None
        self._at = 0.0
        self._shelves: Shelves = {}
        self._closed: frozenset[str] = frozenset()

    def shelves(self, connection: Connection, now: float) -> Shelves:
        """The pages that were open when that was read last."""
        key = wants.last_posting(connection)
        with self._lock:
            if key != self._key or not 0 <= now - self._at < _SECONDS:
                self._shelves = _shelved(wants.open_pages(connection, self._crowd))
                self._closed, self._key, self._at = _NO, key, now
            return self._shelves

    def close(self, pages: Iterable[str]) -> None:
        """Hear that pages are not open any more."""
        with self._lock:
            self._closed |= frozenset(pages)
            if len(self._closed) >= _MANY:
                self._shelves, self._closed = _without(self._shelves, self._closed), _NO


_NO: Final[frozenset[str]] = frozenset()


def _shelved(pages: Iterable[wants.OpenPage]) -> Shelves:
    found: dict[float, dict[str, set[str]]] = {}
    for page in pages:
        found.setdefault(page.at, {}).setdefault(page.wnid, set()).add(page.id)
    return {at: {wnid: frozenset(ids) for wnid, ids in shelf.items()} for at, shelf in found.items()}


def _without(shelves: Shelves, closed: frozenset[str]) -> Shelves:
    left = {at: {wnid: ids - closed for wnid, ids in shelf.items()} for at, shelf in shelves.items()}
    full = {at: {wnid: ids for wnid, ids in shelf.items() if ids} for at, shelf in left.items()}
    return {at: shelf for at, shelf in full.items() if shelf}
