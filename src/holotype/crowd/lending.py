"""Which page a person gets next, and for how long it is theirs: decided from what is known, without asking anybody."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from zlib import crc32

LEASE: Final = 1800.0
"""Seconds for which a page is somebody's; each sign of life renews them."""

AHEAD: Final = 300.0
"""Seconds for which a page is kept for somebody who still works on the one before."""

RENEWED: Final = 600.0
"""A lease is renewed when so much of it has passed: a row every ten minutes, however often a browser asks."""

LONGEST: Final = 4 * 3600.0
"""Seconds after which signs of life renew a lease no more: nobody keeps a page from all others for good."""

LATER: Final = 600.0
"""Seconds after which to look again where nothing tells when there will be more."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A page that wants a sheet, and the numbers of its tasks that are not gold."""

    page: str
    tasks: frozenset[int]


@dataclass(frozen=True, slots=True)
class Nothing:
    """That there is no page for a worker now, and why: ``blocked``, ``none`` are open, others have all that are open,
    until Unix time `again` at most (``lent``), or the worker has ``seen`` them; look again at `again`."""

    reason: str
    again: float


def in_order(
    shelves: Mapping[float, Mapping[str, Collection[str]]], worker: str, last: str, known: Collection[str]
) -> Iterator[str]:
    """Ids of open pages, by when they were put up, oldest first, and by synset, in the order a worker is to get them.

    The oldest come first. Of those that were put up together first those of the synset `last` answered, then those
    of synsets that the worker has learned; every worker goes through the others in an order of their own, so
    that thirty who start together need not all learn the same synset for the sake of a few pages, nor all want the
    same page.
    """
    seed = crc32(worker.encode())  # there may be ten thousand synsets to draw from while somebody waits
    for shelf in shelves.values():
        for wnid in sorted(shelf, key=lambda wnid: (wnid != last, wnid not in known, crc32(wnid.encode(), seed))):
            yield from sorted(shelf[wnid], key=lambda id: crc32(id.encode(), seed))


def unseen(offers: Iterable[Offer], seen: Collection[int]) -> list[Offer]:
    """The pages of whose tasks a worker has seen none."""
    return [offer for offer in offers if offer.tasks.isdisjoint(seen)]


def nothing(any_open: bool, lent_until: Iterable[float], now: float) -> Nothing:
    """Why a worker who may work gets no page, where there are any, of which others have some until those times."""
    if not any_open:
        return Nothing("none", now + LATER)
    until = list(lent_until)
    return Nothing("lent", min(*until, now + LEASE)) if until else Nothing("seen", now + LATER)


def due(until: float, now: float) -> bool:
    """Whether a lease to `until` is to be renewed at the next sign of life."""
    return until - now <= LEASE - RENEWED


def began(leases: Iterable[tuple[float, float]]) -> float | None:
    """When a worker got a page that they hold, or held last: the start of the last row of leases ``(at, until)``,
    oldest first, each of which began before the one before was over. None where there is none."""
    start: float | None = None
    end = math.nan
    for at, until in leases:
        if start is None or at > end:
            start = at
        end = until
    return start
