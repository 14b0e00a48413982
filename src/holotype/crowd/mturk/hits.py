"""Which HIT a page goes to: decided from what is known, without asking anybody."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from holotype.crowd.mturk.terms import DAY
from holotype.crowd.port import Page, Posting

MOST: Final = 9
"""Assignments of a HIT: with 10 the fee doubles, and a HIT made with fewer cannot be extended to 10."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A HIT as the platform tells: `maximum` assignments in all, `settled` of them approved or rejected; `annotation`
    is the token it was made with, `expires` Unix time, `reward` in dollars."""

    id: str
    type: str
    annotation: str
    maximum: int
    settled: int
    expires: float
    reward: Decimal


@dataclass(frozen=True, slots=True)
class Book:
    """All that is known when pages are placed, at Unix time `now`: postings, the ids of answered pages, the HITs that
    there are by id, and the HIT type that is offered now."""

    postings: Sequence[Posting]
    answered: Collection[str]
    hits: Mapping[str, Hit]
    type: str
    now: float

    def homes(self) -> dict[str, Posting]:
        """The newest posting of each page."""
        return {posting.page: posting for posting in self.postings}

    def waiting(self, pages: Iterable[str]) -> dict[str, set[str]]:
        """Those of `pages` that are up without an answer, by the HIT they are on."""
        homes = self.homes()
        found = defaultdict(set)
        for page in pages:
            if page in homes and page not in self.answered:
                found[homes[page].reference].add(page)
        return found

    def assignments(self) -> Counter[str]:
        """How many assignments each HIT has: what the platform tells, or else what was asked for."""
        held = Counter[str]()
        for posting in self.postings:
            held[posting.reference] += posting.assignments
        return held | Counter({id: self.hits[id].maximum for id in held if id in self.hits})


@dataclass(frozen=True, slots=True)
class Placement:
    """A page and where it goes: to `hit`, which is to have `maximum` assignments, or to a HIT of its own."""

    page: Page
    hit: Hit | None
    maximum: int

    @property
    def added(self) -> int:
        """The assignments this adds."""
        return self.maximum - (self.hit.maximum if self.hit else 0)


def token(identity: str, *what: object) -> str:
    """64 characters that are always the same for the same request of the same project."""
    return hashlib.sha256("\0".join((identity, *map(str, what))).encode()).hexdigest()


def spent(pages: Sequence[Page], book: Book) -> dict[str, str]:
    """The pages that are up on a HIT that has no assignment left for them, and that HIT, as far as known."""
    homes, waiting = book.homes(), book.waiting(page.id for page in pages)
    found = {}
    for page in pages:
        hit = book.hits.get(homes[page.id].reference) if page.id in homes else None
        if hit and hit.maximum - hit.settled < len(waiting[hit.id]):
            found[page.id] = hit.id
    return found


def place(pages: Sequence[Page], book: Book) -> list[Placement]:
    """Where the pages go that are not up, or whose HIT has expired, is gone or has no assignment left for them.

    A page that asks the same tasks as one before goes to the same HIT, which the platform offers to a worker but
    once, as long as that has the present HIT type and fewer than `MOST` assignments.
    """
    homes, waiting, used_up = book.homes(), book.waiting(page.id for page in pages), spent(pages, book)
    twins = {_question(page): book.hits[post.reference] for page, post in homes.items() if post.reference in book.hits}
    placements = []
    for page in pages:
        home = homes.get(page.id)
        hit = book.hits.get(home.reference) if home else None
        if page.id in book.answered or (home and hit is None and book.now - home.at < DAY):
            continue  # a HIT so young may be missing from the platform's list
        if hit and page.id not in used_up:
            if hit.expires <= book.now:
                placements.append(Placement(page, hit, hit.maximum))
            continue
        twin = twins.get(_question(page.id))
        wanted = max(twin.maximum, twin.settled + len(waiting[twin.id] | {page.id})) if twin else 0
        if twin and twin.type == book.type and wanted <= MOST:
            placements.append(Placement(page, twin, wanted))
        else:
            placements.append(Placement(page, None, 1))
    return placements


def _question(page: str) -> str:
    return page.partition("-")[2]
