"""A campaign: ask, collect, conclude, in rounds, until nothing is open."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise

import numpy as np

from holotype.consensus.ballot import Ints
from holotype.consensus.votes import Task, Vote
from holotype.crowd.columns import NOWHERE
from holotype.crowd.conclusion import Conclusion, Policy
from holotype.crowd.guards import Mask
from holotype.crowd.port import Crowd, Page, Sheet, votes_of
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError

PAGE_SIZE = 48
"""Images on a page, as in the task of ImageNetV2 (Recht et al. 2019)."""

SHEETS_PER_COMMIT = 20

PAGES_AT_ONCE = 5_000
"""Pages that are up at once: what people can take is among them, and nobody holds those of millions of tasks."""

TASKS_AT_ONCE = 1_000_000
"""Tasks whose pages are looked for at once."""

Record = Callable[[Sequence[Vote]], object]
"""Makes votes durable."""


def pages_of_round(
    tally: Tally, open: Mask, number: int, size: int, up: Sequence[Page] = (), most: int | None = None
) -> list[Page]:
    """What is left to ask of round `number`: pages without votes, and of half-known pages the tasks without one; `most`
    at most beside those that are up.

    The round asks every task that is `open` ``(tasks,)`` once, synset by synset, on pages of at most `size`; those on
    a page of `up` are asked there.
    """
    return next(portions_of_round(tally, open, number, size, up, most))


def portions_of_round(
    tally: Tally, open: Mask, number: int, size: int, up: Sequence[Page] = (), most: int | None = None
) -> Iterator[list[Page]]:
    """As `pages_of_round`, all pages, so many at once, and once at least: nobody holds more than those."""
    wanted, voted = open.copy(), tally.voted_in(number)
    asked = tally.places_of(np.array([task.number for page in up for task in page.tasks], np.int64))
    wanted[asked[asked != NOWHERE]] = False
    before, new = _unanswered(up, tally, voted), _new_pages(tally, wanted, voted, number, size, most)
    if most is None:
        yield [*before, *new]
        return
    yield [*before, *islice(new, most)]
    while pages := list(islice(new, most)):
        yield pages


def _new_pages(tally: Tally, wanted: Mask, voted: Mask, number: int, size: int, most: int | None) -> Iterator[Page]:
    """The pages of the tasks that are `wanted`, but for those that have votes of the round; made so many at once."""
    for start, stop in _whole_synsets(tally.tasks.synset, TASKS_AT_ONCE):
        places, page = _on_pages(tally, start + np.flatnonzero(wanted[start:stop]), size)
        left = ~voted[places]
        places, page = places[left], page[left]
        starts = np.append(np.flatnonzero(np.append(True, page[1:] != page[:-1])[: len(page)]), len(page))
        step = most or max(len(starts) - 1, 1)
        for first in range(0, len(starts) - 1, step):
            yield from _made(tally, places, starts[first : first + step + 1], number)


def _whole_synsets(synset: Ints, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of tasks of whole synsets, of so many tasks or one synset; one range where synsets are not together."""
    parts = range(0, len(synset), most)
    if any((synset[at + 1 : at + most + 1] < synset[at : at + most][: len(synset) - at - 1]).any() for at in parts):
        yield 0, len(synset)
        return
    start = 0
    while start < len(synset):
        ends = min(start + most, len(synset))
        stop = int(np.searchsorted(synset, synset[ends - 1], side="right")) if ends < len(synset) else ends
        yield start, stop
        start = stop


def _made(tally: Tally, places: Ints, starts: Ints, number: int) -> list[Page]:
    """The pages of tasks at `places`, each from one of `starts` to the next."""
    some = places[starts[0] : starts[-1]]
    group: Ints = np.full(len(tally.tasks), NOWHERE, np.int16 if len(starts) <= np.iinfo(np.int16).max else np.int32)
    group[some] = np.repeat(np.arange(len(starts) - 1, dtype=group.dtype), np.diff(starts))
    tasks, seen = tally.named(some), tally.seen(group, len(starts) - 1, number)
    bounds = pairwise((starts - starts[0]).tolist())
    return [_page(number, tasks[start:end], who) for (start, end), who in zip(bounds, seen, strict=True)]


def _on_pages(tally: Tally, places: Ints, size: int) -> tuple[Ints, Ints]:
    """The places of tasks in the order of pages, and the number of each one's page, from 0.

    Synsets are in the order in which they come first among the places.
    """
    synset = tally.tasks.synset[places]
    named, first, of = np.unique(synset, return_index=True, return_inverse=True)
    turn = np.empty(len(named), np.int64)
    turn[np.argsort(first)] = np.arange(len(named))
    order = np.argsort(turn[of], kind="stable")
    sizes = np.bincount(turn[of], minlength=len(named))
    within = np.arange(len(places)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return places[order], np.cumsum(within % size == 0) - 1


def _page(number: int, tasks: Sequence[Task], seen: frozenset[str]) -> Page:
    digest = hashlib.sha256(" ".join((tasks[0].wnid, *(task.sha256 for task in tasks))).encode())
    return Page(f"{number:03d}-{digest.hexdigest()[:16]}", tasks[0].wnid, tuple(tasks), seen, number)


def _unanswered(pages: Iterable[Page], tally: Tally, voted: Mask) -> list[Page]:
    """Pages without votes, and of half-known pages the tasks without one; `voted` ``(tasks,)`` have votes of the
    round."""
    left = []
    for page in pages:
        places = tally.places_of(np.array([task.number for task in page.tasks], np.int64)).tolist()
        known = [place != NOWHERE and bool(voted[place]) for place in places]
        tasks = [task for task, answered in zip(page.tasks, known, strict=True) if not answered]
        if len(tasks) == len(page.tasks):
            left.append(page)
        elif tasks:
            left.append(_page(page.round, tasks, page.seen))
    return left


def affordable(pages: Sequence[Page], up: Sequence[Page], tally: Tally, most: int | None) -> list[Page]:
    """The first of `pages` that can all be answered before the tally holds more than `most` votes of pages; those that
    are `up` are posted in any case."""
    if most is None:
        return list(pages)
    known = {page.id for page in up}
    left = most - tally.votes_of_pages - sum(len(page.tasks) for page in up)
    found = []
    for page in pages:
        left -= 0 if page.id in known else len(page.tasks)
        if left < 0 and page.id not in known:
            break
        found.append(page)
    return found


def run_campaign(
    tally: Tally,
    crowd: Crowd,
    policy: Policy,
    record: Record,
    progress: Callable[[Conclusion], None] = lambda _: None,
    page_size: int = PAGE_SIZE,
    most: int | None = None,
) -> Conclusion:
    """Ask `crowd` under `policy`, adding to `tally`, until no task is open or the crowd has no more for now.

    A round asks every open task once, with gold in between, on `PAGES_AT_ONCE` pages at a time. `record` makes votes
    durable and is called before they count; `progress` gets each round's conclusion. Stopped at any moment and run
    again with the recorded votes, the campaign takes up the round it was in and goes on as if nothing had happened.
    What came in while nobody listened is counted before anything is asked, and pages that are up stay as they are,
    whatever else has changed. What a worker who is blocked by now has answered in that round is asked again in the
    next.

    Pages of other synsets than the tally's are left alone. New ones are posted only as long as the tally cannot come to
    hold more than `most` votes of pages by them; run with more, the campaign goes on where that stopped it.

    What the tally remembers of conclusions is not drawn again.
    """
    tally.done = tally.held_back = False
    count_sheets(crowd.collect(), tally.add, crowd, record)
    number = tally.last_round or 1
    waiting = pages_up(tally, crowd)
    up = [page for page in waiting if page.round == number]
    open = tally.open_at(number, policy)
    while up or open.any():
        for pages in portions_of_round(tally, open, number, page_size, up, PAGES_AT_ONCE):
            asked = [tally.with_gold(page) for page in pages]
            posted = affordable(asked, waiting, tally, most)
            tally.held_back = len(posted) < len(asked)
            if not _ask(posted, tally, crowd, record) or tally.held_back:
                return tally.conclude(policy)
            waiting = pages_up(tally, crowd) if most else []
        conclusion = tally.conclude(policy)
        progress(conclusion)
        number += 1
        waiting, up, open = pages_up(tally, crowd) if most else [], [], tally.begin(number, conclusion)
    tally.done = tally.limit is None
    return tally.conclude(policy)


def pages_up(tally: Tally, crowd: Crowd) -> list[Page]:
    """The pages that are up with a tally's tasks."""
    wnids = set(tally.tasks.wnids)
    return [page for page in crowd.waiting() if page.wnid in wnids]


def _ask(pages: Sequence[Page], tally: Tally, crowd: Crowd, record: Record) -> bool:
    """Whether every page came back answered."""
    if not pages:
        return True
    crowd.post(pages)
    sheets = crowd.collect()
    count_sheets(sheets, tally.add, crowd, record)
    return {page.id for page in pages} <= {sheet.page.id for sheet in sheets}


def count_sheets(
    sheets: Sequence[Sheet],
    count: Callable[[Sequence[Vote]], None],
    crowd: Crowd,
    record: Record,
    at_once: int = SHEETS_PER_COMMIT,
) -> None:
    """Record, count and acknowledge all sheets that can be, some at once. Raises `CrowdError` for the others when that
    is done."""
    bad = []
    for start in range(0, len(sheets), at_once):
        votes: list[Vote] = []
        counted = []
        for sheet in sheets[start : start + at_once]:
            try:
                votes += votes_of(sheet)
                counted.append(sheet)
            except CrowdError as error:
                bad.append(str(error))
        record(votes)
        count(votes)
        crowd.acknowledge(counted)
    if bad:
        raise CrowdError(f"{len(bad)} of {len(sheets)} sheets were refused, the others counted: {'; '.join(bad[:3])}")
