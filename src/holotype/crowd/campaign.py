"""A campaign: ask, collect, conclude, in rounds, until nothing is open."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from holotype.crowd.ballot import Ballot
from holotype.crowd.policy import Conclusion, Policy, State
from holotype.crowd.port import Crowd, Page, Sheet, Task, Vote, votes_of
from holotype.errors import CrowdError

PAGE_SIZE = 48
"""Images on a page, as in the task of ImageNetV2 (Recht et al. 2019)."""

SHEETS_PER_COMMIT = 20


class Tally:
    """The tasks of a campaign and their votes, kept as columns that grow."""

    def __init__(self, tasks: Sequence[Task], votes: Iterable[Vote] = ()) -> None:
        self.tasks = tasks
        self.votes: list[Vote] = []
        self.seen: list[set[str]] = [set() for _ in tasks]
        """Who has voted on each task."""
        self._index = {task.number: position for position, task in enumerate(tasks)}
        self._workers: dict[str, int] = {}
        self._task: list[int] = []
        self._worker: list[int] = []
        synsets = {wnid: number for number, wnid in enumerate(dict.fromkeys(task.wnid for task in tasks))}
        self._synset = np.array([synsets[task.wnid] for task in tasks], np.int64)
        self._synsets = len(synsets)
        self.add(votes)

    def add(self, votes: Iterable[Vote]) -> None:
        """Count votes; those on tasks of other campaigns, and second votes of a worker, are left out."""
        for vote in votes:
            position = self._index.get(vote.task)
            if position is not None and vote.worker not in self.seen[position]:
                self.seen[position].add(vote.worker)
                self._task.append(position)
                self._worker.append(self._workers.setdefault(vote.worker, len(self._workers)))
                self.votes.append(vote)

    def ballot(self) -> Ballot:
        """The votes as arrays."""
        return Ballot(
            np.array(self._task, np.int64),
            np.array(self._worker, np.int64),
            np.array([vote.answer for vote in self.votes], np.int64),
            self._synset,
            len(self._workers),
            self._synsets,
        )


def round_of(page_id: str) -> int:
    """The number of the round a page was posted in, from 1."""
    return int(page_id.partition("-")[0])


def pages_of_round(tally: Tally, conclusion: Conclusion, number: int, size: int) -> list[Page]:
    """Every open task once, synset by synset, on pages of at most `size`: the pages of round `number`."""
    groups: dict[str, list[int]] = {}
    for position, state in enumerate(conclusion.states):
        if state is State.OPEN:
            groups.setdefault(tally.tasks[position].wnid, []).append(position)
    chunks = [group[i : i + size] for group in groups.values() for i in range(0, len(group), size)]
    return [
        _page(
            number,
            [tally.tasks[position] for position in chunk],
            frozenset().union(*(tally.seen[position] for position in chunk)),
        )
        for chunk in chunks
    ]


def _page(number: int, tasks: Sequence[Task], seen: frozenset[str]) -> Page:
    digest = hashlib.sha256(" ".join((tasks[0].wnid, *(task.sha256 for task in tasks))).encode())
    return Page(f"{number:03d}-{digest.hexdigest()[:16]}", tasks[0].wnid, tuple(tasks), seen)


def unanswered(pages: Iterable[Page], votes: Iterable[Vote]) -> list[Page]:
    """What is left to ask of a round: pages without votes, and of half-known pages the tasks without one."""
    pages = list(pages)
    number = round_of(pages[0].id) if pages else 0
    voted = {vote.task for vote in votes if round_of(vote.page) == number}
    left = []
    for page in pages:
        tasks = [task for task in page.tasks if task.number not in voted]
        if len(tasks) == len(page.tasks):
            left.append(page)
        elif tasks:
            left.append(_page(number, tasks, page.seen))
    return left


def run_campaign(
    tally: Tally,
    crowd: Crowd,
    policy: Policy,
    record: Callable[[Sequence[Vote]], None],
    progress: Callable[[Conclusion], None] = lambda _: None,
    page_size: int = PAGE_SIZE,
) -> Conclusion:
    """Ask `crowd` under `policy`, adding to `tally`, until no task is open or the crowd has no more for now.

    A round asks every open task once. `record` makes votes durable and is called before they count;
    `progress` gets each round's conclusion. Stopped at any moment and run again with the
    recorded votes, the campaign takes up the round it was in and goes on as if nothing had happened. What came in
    while nobody listened is counted before anything is asked.
    """
    _count(crowd.collect(), tally, crowd, record)
    number = max((round_of(vote.page) for vote in tally.votes), default=1)
    past = Tally(tally.tasks, (vote for vote in tally.votes if round_of(vote.page) < number))
    conclusion = policy.conclude(past.ballot())
    pages = pages_of_round(past, conclusion, number, page_size)
    while pages:
        if not _ask(unanswered(pages, tally.votes), tally, crowd, record):
            break
        conclusion = policy.conclude(tally.ballot())
        progress(conclusion)
        number += 1
        pages = pages_of_round(tally, conclusion, number, page_size)
    return policy.conclude(tally.ballot())


def _ask(pages: Sequence[Page], tally: Tally, crowd: Crowd, record: Callable[[Sequence[Vote]], None]) -> bool:
    """Whether every page came back answered."""
    if not pages:
        return True
    crowd.post(pages)
    sheets = crowd.collect()
    _count(sheets, tally, crowd, record)
    return {page.id for page in pages} <= {sheet.page.id for sheet in sheets}


def _count(sheets: Sequence[Sheet], tally: Tally, crowd: Crowd, record: Callable[[Sequence[Vote]], None]) -> None:
    """Count and acknowledge all sheets that can be before a bad one is an error."""
    bad = []
    for start in range(0, len(sheets), SHEETS_PER_COMMIT):
        votes: list[Vote] = []
        counted = []
        for sheet in sheets[start : start + SHEETS_PER_COMMIT]:
            try:
                votes += votes_of(sheet)
                counted.append(sheet)
            except CrowdError as error:
                bad.append(str(error))
        record(votes)
        tally.add(votes)
        crowd.acknowledge(counted)
    if bad:
        raise CrowdError(f"{len(bad)} of {len(sheets)} sheets were refused, the others counted: {'; '.join(bad[:3])}")
