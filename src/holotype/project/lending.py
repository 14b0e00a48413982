"""Pages lent to people on the web, and handed in by them."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import Connection

from holotype.catalog import corrections, pages, pictures, qualifications, schema, sheets, votes, wants, workers
from holotype.catalog.sheets import KeptSheet, Lease
from holotype.consensus.votes import Answer
from holotype.crowd.inbox import WEB
from holotype.crowd.lending import AHEAD, LATER, LEASE, LONGEST, Nothing, Offer, began, due, in_order, nothing, unseen
from holotype.errors import CrowdError, NotLent
from holotype.project.board import Board
from holotype.project.parts import Parts

_AT_ONCE = 64
_CHOICES = 4
_LONGEST = 1e6


class Asking(Protocol):
    """What is asked on the pages of a crowd: numbers of tasks, and of whom not."""

    @property
    def crowd(self) -> str:
        """The crowd that the pages are for."""

    def seen(self, connection: Connection, worker: str, tasks: Collection[int]) -> set[int]:
        """Those of these tasks that a worker is not to be asked: they answered them, or are asked about themselves."""

    def gold(self, connection: Connection, tasks: Collection[int]) -> set[int]:
        """Those of these tasks whose answers are known: who has answered one may be asked again."""


@dataclass(frozen=True, slots=True)
class Verifying:
    """Whether candidates show what they are of: `Asking` of the grid."""

    crowd: str = WEB

    def seen(self, connection: Connection, worker: str, tasks: Collection[int]) -> set[int]:
        """The candidates that a worker has voted on."""
        return votes.voted_by(connection, worker, tasks)

    def gold(self, connection: Connection, tasks: Collection[int]) -> set[int]:
        """The candidates whose labels are known."""
        return corrections.standing_among(connection, schema.gold, tasks)


@dataclass(frozen=True, slots=True)
class Counter:
    """Where the pages of a crowd are lent: of what they ask, and which are open."""

    parts: Parts
    asking: Asking
    board: Board

    @property
    def crowd(self) -> str:
        """The crowd."""
        return self.asking.crowd


def next_page(counter: Counter, worker: str, now: float, after: str = "") -> str | Nothing:
    """See `holotype.project.desk.Desk.next_page`."""
    while isinstance(found := look(counter, worker, now, after), list):
        wished = Lease("", worker, now, now + (AHEAD if after else LEASE))
        lend = partial(_lend, crowd=counter.crowd, free=found, lease=wished, after=after)
        lent = counter.parts.catalog.transact(lend)
        if lent is not None:
            return lent
    return found


def look(counter: Counter, worker: str, now: float, after: str = "") -> str | Nothing | list[Offer]:
    """What there is for a worker now: the page that they have, or some that they may get, best first, or why none."""
    crowd = counter.crowd
    with counter.parts.catalog.read() as connection:
        if worker in workers.blocked(connection):
            return Nothing("blocked", now + LATER)
        if (held := _held(connection, crowd, worker, now, after)) is not None:
            return held
        known = {trial.wnid for trial in qualifications.trials(connection, worker)}
        last = sheets.last_wnid(connection, crowd, worker)
        order = in_order(counter.board.shelves(connection, now), worker, last, known)
        search = _Search(connection, counter, worker, _unread(connection, crowd, worker, after), now)
        return search.free(order, _CHOICES) or nothing(search.any_open, search.lent_until, now)


def _held(connection: Connection, crowd: str, worker: str, now: float, after: str) -> str | None:
    """The page that a worker has and that still wants a sheet, but for the one `after` which they want another."""
    held = [page for page in sheets.held(connection, crowd, worker, now) if page != after]
    wanted = wants.still_open(connection, crowd, held)
    return next((page for page in held if page in wanted), None)


def _unread(connection: Connection, crowd: str, worker: str, after: str) -> set[int]:
    """The tasks that a worker has answered, or has before them, of which there is no vote yet."""
    mine = {sheet.page for sheet in sheets.uncounted(connection, crowd, worker)} | {after}
    return {number for page in pages.read(connection, crowd, mine) for number in json.loads(page.tasks)}


@dataclass
class _Search:
    """A look through open pages for a worker, who has `unread` tasks besides those they answered: what it has seen."""

    connection: Connection
    counter: Counter
    worker: str
    unread: set[int]
    now: float
    any_open: bool = False
    lent_until: list[float] = field(default_factory=list)

    def free(self, order: Iterator[str], wanted: int) -> list[Offer]:
        """The first pages in order that the worker may get; few are looked at first, then more at once."""
        found: list[Offer] = []
        size = wanted
        while len(found) < wanted and (some := list(islice(order, size))):
            found += self._free(some)
            size = min(4 * size, _AT_ONCE)
        return found[:wanted]

    def _free(self, ids: Sequence[str]) -> list[Offer]:
        crowd = self.counter.crowd
        wanted = wants.still_open(self.connection, crowd, ids)
        self.counter.board.close(set(ids) - wanted)
        self.any_open |= bool(wanted)
        leases = sheets.live_leases(self.connection, crowd, wanted, self.now)
        self.lent_until += [lease.until for lease in leases]
        taken = {lease.page for lease in leases}
        offers = self._offers([id for id in ids if id in wanted and id not in taken])
        asked = {number for offer in offers for number in offer.tasks}
        return unseen(offers, self.counter.asking.seen(self.connection, self.worker, asked) | self.unread)

    def _offers(self, ids: Sequence[str]) -> list[Offer]:
        """Pages as they are offered, in order."""
        kept = {page.id: page for page in pages.read(self.connection, self.counter.crowd, ids)}
        tasks = {id: json.loads(kept[id].tasks) for id in ids if id in kept}
        gold = self.counter.asking.gold(self.connection, {one for numbers in tasks.values() for one in numbers})
        return [Offer(id, frozenset(numbers) - gold) for id, numbers in tasks.items()]


def _lend(connection: Connection, crowd: str, free: Sequence[Offer], lease: Lease, after: str) -> str | None:
    """Lend the first of these pages that nobody was lent or answered meanwhile, or is just now; None where all were,
    or the worker is lent one just now."""
    if not sheets.is_lent_alone(connection, crowd, lease.worker):
        return None
    if (held := _held(connection, crowd, lease.worker, lease.at, after)) is not None:
        return held
    ids = [offer.page for offer in free]
    wanted = wants.still_open(connection, crowd, ids)
    taken = {other.page for other in sheets.live_leases(connection, crowd, ids, lease.at)}
    free_now = (id for id in ids if id in wanted and id not in taken)
    page = next((id for id in free_now if sheets.claim_free(connection, crowd, id)), None)
    if page is not None:
        sheets.lend(connection, crowd, Lease(page, lease.worker, lease.at, lease.until))
    return page


def renew(counter: Counter, worker: str, page: str, now: float) -> float | None:
    """See `holotype.project.desk.Desk.renew`."""
    crowd = counter.crowd
    with counter.parts.catalog.read() as connection:
        mine = sheets.leases_of(connection, crowd, page, worker)
        is_blocked = worker in workers.blocked(connection)
    until = mine[-1].until if mine else None
    if until is None or not due(until, now) or is_blocked or _is_kept_long(mine, now):
        return until

    def work(connection: Connection) -> float | None:
        if any(lease.worker != worker for lease in sheets.live_leases(connection, crowd, [page], now)):
            return until
        sheets.claim(connection, crowd, page)
        sheets.lend(connection, crowd, Lease(page, worker, now, now + LEASE))
        return now + LEASE

    return counter.parts.catalog.transact(work)


def _is_kept_long(leases: Sequence[Lease], now: float) -> bool:
    """Whether a worker has a page, or had it until a moment ago, for so long that others are to get it."""
    start = began([(lease.at, lease.until) for lease in leases])
    return start is not None and now <= leases[-1].until + LEASE and now - start >= LONGEST


def give_back(counter: Counter, worker: str, page: str, now: float) -> bool:
    """See `holotype.project.desk.Desk.give_back`."""

    def work(connection: Connection) -> bool:
        if page not in sheets.held(connection, counter.crowd, worker, now):
            return False
        sheets.lend(connection, counter.crowd, Lease(page, worker, now, now))
        return True

    return counter.parts.catalog.transact(work)


def hand_in(
    counter: Counter, worker: str, page: str, answers: Sequence[Answer], seconds: float | None, now: float
) -> bool:
    """See `holotype.project.desk.Desk.hand_in`."""
    with counter.parts.catalog.read() as connection:
        known = pages.read(connection, counter.crowd, [page])
        tasks: list[int] = json.loads(known[0].tasks) if known else []
        hidden = {number for number, one in pictures.shown(connection, tasks).items() if one.hidden}
    given = zip(tasks, map(Answer, answers), strict=False)
    said = tuple(int(Answer.UNSURE if task in hidden else answer) for task, answer in given)

    return keep(counter, worker, page, said if len(answers) == len(tasks) else answers, seconds, now)


def keep(counter: Counter, worker: str, page: str, said: Sequence[Any], seconds: float | None, now: float) -> bool:
    """Keep what a worker says of a page's tasks, which goes into JSON; whether that is the first time.

    Raises `NotLent` for a page that never was theirs, and `CrowdError` for what does not answer it.
    """
    crowd = counter.crowd
    with counter.parts.catalog.read() as connection:
        start = began([(lease.at, lease.until) for lease in sheets.leases_of(connection, crowd, page, worker)])
        known = pages.read(connection, crowd, [page])
    if start is None or not known:
        raise NotLent(page)
    took = max(now - start, 0.0)
    told, length = took if seconds is None else seconds, len(json.loads(known[0].tasks))
    if len(said) != length or not 0 <= told <= _LONGEST or not math.isfinite(now):
        raise CrowdError(f"page {page} has {length} pictures, and an answer for each is wanted, with a time")

    def work(connection: Connection) -> bool:
        if sheets.of_worker(connection, crowd, worker, [page]):
            return False
        sheets.claim(connection, crowd, page)
        sheets.add(connection, crowd, KeptSheet(0, page, worker, tuple(said), told, took, now))
        return True

    return counter.parts.catalog.transact(work)
