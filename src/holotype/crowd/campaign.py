"""A campaign: ask, collect, conclude, in rounds, until nothing is open."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import numpy as np

from holotype.consensus.ballot import UNKNOWN, Ballot, Ints, Sources
from holotype.consensus.votes import Ruling, Task, Vote
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.crowd.gold import with_gold
from holotype.crowd.port import Crowd, Page, Sheet, votes_of
from holotype.errors import CrowdError

PAGE_SIZE = 48
"""Images on a page, as in the task of ImageNetV2 (Recht et al. 2019)."""

SHEETS_PER_COMMIT = 20


class Tally:
    """The tasks of a campaign and their votes, kept as columns that grow.

    `gold` says of some tasks, by number, whether the answer is yes, `priors` how probable a yes is, `rulings` what a
    curator says it is whatever the votes say, and `found` pairs numbers with sources. Votes of `blocked` workers are
    held, but only the others, `counting`, are in the ballot.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        votes: Iterable[Vote] = (),
        gold: Mapping[int, bool] | None = None,
        blocked: Collection[str] = (),
        priors: Mapping[int, float] | None = None,
        rulings: Mapping[int, Ruling] | None = None,
        found: Sequence[tuple[int, str]] = (),
    ) -> None:
        self.tasks = tasks
        self.rulings = dict(rulings or {})
        self.found = found
        self.gold = dict(gold or {})
        self.priors = dict(priors or {})
        self.blocked = frozenset(blocked)
        self.votes: list[Vote] = []
        self.counting: list[Vote] = []
        self._first = np.zeros(len(tasks), np.int64)
        self.seen: list[set[str]] = [set() for _ in tasks]
        """Who has voted on each task."""
        self.workers: dict[str, int] = {}
        """The names of the workers whose votes count, and their numbers in the ballot."""
        self._index = {task.number: position for position, task in enumerate(tasks)}
        self._sources = self._columns_of(found)
        self._task: list[int] = []
        self._worker: list[int] = []
        synsets = {wnid: number for number, wnid in enumerate(dict.fromkeys(task.wnid for task in tasks))}
        self._synset = np.array([synsets[task.wnid] for task in tasks], np.int64)
        self._synsets = len(synsets)
        self._known = [self._index[number] for number in self.gold if number in self._index]
        self._gold_of: dict[str, dict[Task, bool]] = {}
        for task in (tasks[position] for position in self._known):
            self._gold_of.setdefault(task.wnid, {})[task] = self.gold[task.number]
        self.add(votes)

    def add(self, votes: Iterable[Vote]) -> None:
        """Count votes; those on tasks of other campaigns, and second votes of a worker, are left out."""
        for vote in votes:
            position = self._index.get(vote.task)
            if position is None or vote.worker in self.seen[position]:
                continue
            self.seen[position].add(vote.worker)
            self.votes.append(vote)
            if vote.round and not 0 < self._first[position] <= vote.round:
                self._first[position] = vote.round
            if vote.worker not in self.blocked:
                self._task.append(position)
                self._worker.append(self.workers.setdefault(vote.worker, len(self.workers)))
                self.counting.append(vote)

    def before(self, number: int) -> Tally:
        """The tally as it was when round `number` began, under the gold and the blocks of now."""
        earlier = (vote for vote in self.votes if vote.round < number)
        return Tally(self.tasks, earlier, self.gold, self.blocked, self.priors, self.rulings, self.found)

    def ballot(self) -> Ballot:
        """The votes that count as arrays."""
        return Ballot(
            np.array(self._task, np.int64),
            np.array(self._worker, np.int64),
            np.array([vote.answer for vote in self.counting], np.int64),
            self._synset,
            len(self.workers),
            self._synsets,
            known=self._classes() if self._known else None,
            prior=np.array([self.priors.get(task.number, np.nan) for task in self.tasks]) if self.priors else None,
            batch=self._batches(),
            ruled=self._ruled() if self.rulings else None,
            names=tuple(self.workers),
            sources=self._sources,
        )

    def _batches(self) -> Ints | None:
        """The batch of each task: what came from the same kinds of sources and was first asked about in the same round;
        what was never asked about comes next. None where all is one batch."""
        kinds: list[set[str]] = [set() for _ in self.tasks]
        for number, source in self.found:
            if number in self._index:
                kinds[self._index[number]].add(source.partition(":")[0])
        rounds = np.where(self._first > 0, self._first, np.iinfo(np.int64).max)
        keys = list(zip(map(sorted, kinds), rounds.tolist(), strict=True)) if self.found else rounds.tolist()
        numbers = {key: place for place, key in enumerate(sorted({str(key) for key in keys}))}
        return np.array([numbers[str(key)] for key in keys]) if len(numbers) > 1 else None

    def _classes(self) -> Ints:
        known = np.full(len(self.tasks), UNKNOWN)
        known[self._known] = [self.gold[self.tasks[position].number] for position in self._known]
        return known

    def _ruled(self) -> Ints:
        ruled = np.full(len(self.tasks), UNKNOWN)
        for number, ruling in self.rulings.items():
            if number in self._index:
                ruled[self._index[number]] = ruling.answer
        return ruled

    def _columns_of(self, found: Sequence[tuple[int, str]]) -> Sources:
        held = [(self._index[number], source) for number, source in found if number in self._index]
        numbers = {source: place for place, source in enumerate(dict.fromkeys(source for _, source in held))}
        task, source = np.array([(place, numbers[name]) for place, name in held], np.int64).reshape(-1, 2).T
        return Sources(tuple(numbers), task, source)

    def conclude(self, policy: Policy) -> Conclusion:
        """What `policy` concludes of the votes that count."""
        return policy.conclude(self.ballot())

    def with_gold(self, page: Page) -> Page:
        """The page with gold of its synset among its tasks: see `holotype.crowd.gold.with_gold`."""
        return with_gold(page, self._gold_of.get(page.wnid, {}))


def pages_of_round(tally: Tally, conclusion: Conclusion, number: int, size: int, up: Sequence[Page] = ()) -> list[Page]:
    """Every open task that is on no page of `up` once, synset by synset, on pages of at most `size`: the pages of round
    `number`."""
    groups: dict[str, list[int]] = {}
    asked = {task.number for page in up for task in page.tasks}
    for position, state in enumerate(conclusion.states):
        if state is State.OPEN and tally.tasks[position].number not in asked:
            groups.setdefault(tally.tasks[position].wnid, []).append(position)
    chunks = [group[i : i + size] for group in groups.values() for i in range(0, len(group), size)]
    return [
        _page(
            number,
            [tally.tasks[position] for position in chunk],
            tally.blocked.union(*(tally.seen[position] for position in chunk)),
        )
        for chunk in chunks
    ]


def _page(number: int, tasks: Sequence[Task], seen: frozenset[str]) -> Page:
    digest = hashlib.sha256(" ".join((tasks[0].wnid, *(task.sha256 for task in tasks))).encode())
    return Page(f"{number:03d}-{digest.hexdigest()[:16]}", tasks[0].wnid, tuple(tasks), seen, number)


def unanswered(pages: Iterable[Page], votes: Iterable[Vote]) -> list[Page]:
    """What is left to ask of a round: pages without votes, and of half-known pages the tasks without one."""
    pages = list(pages)
    number = pages[0].round if pages else 0
    voted = {vote.task for vote in votes if vote.round == number}
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

    A round asks every open task once, with gold in between. `record` makes votes durable and is called before they
    count; `progress` gets each round's conclusion. Stopped at any moment and run again with the recorded votes, the
    campaign takes up the round it was in and goes on as if nothing had happened. What came in while nobody listened is
    counted before anything is asked, and pages that are up stay as they are, whatever else has changed. What a worker
    who is blocked by now has answered in that round is asked again in the next.
    """
    _count(crowd.collect(), tally, crowd, record)
    number = max((vote.round for vote in tally.votes), default=1) or 1
    past = tally.before(number)
    up = [page for page in crowd.waiting() if page.round == number]
    pages = up + pages_of_round(past, past.conclude(policy), number, page_size, up)
    while pages:
        asked = [tally.with_gold(page) for page in unanswered(pages, tally.votes)]
        if not _ask(asked, tally, crowd, record):
            break
        conclusion = tally.conclude(policy)
        progress(conclusion)
        number += 1
        pages = pages_of_round(tally, conclusion, number, page_size)
        if not pages:
            return conclusion
    return tally.conclude(policy)


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
