"""The tasks of a campaign and their votes, kept as columns that grow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from holotype.consensus.ballot import Ballot, Ints
from holotype.consensus.votes import TRAINING, Ruling, Task, Vote
from holotype.crowd.ballots import NEVER, Axes, Held, axes_of, ballot_on, counting_workers, first_rounds
from holotype.crowd.columns import NO_VOTES, NOWHERE, Chances, Digests, InMemory, Known, Places, Sightings, Tasks, Votes
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.crowd.gold import with_gold
from holotype.crowd.guards import Mask
from holotype.crowd.port import Page
from holotype.crowd.sharded import concluded

MOST_LOOSE: Final = 100_000
"""New pairs of task and worker that are looked up one by one before they are sorted in among the others."""


class Tally:
    """The tasks of a campaign, their votes and what is known beside them.

    All votes are held, those of blocked workers and those of training too, but only the others are in the ballot. No
    worker has two votes on a task.
    """

    def __init__(self, tasks: Tasks, votes: Votes, known: Known, images: Digests) -> None:
        self.tasks = tasks
        self.known = known
        self.opened: dict[int, Mask] = {}
        """Which tasks were open when a round began, ``(tasks,)``, of the newest rounds of which that is known."""
        self.done = False
        """Whether the campaign has come to its end with just these votes: every page of its last round is answered, and
        nothing is open."""
        self.held_back = False
        """Whether pages of its last round were not put up, since too few votes were left for them."""
        self.limit: Mask | None = None
        """The tasks that may be asked about, ``(tasks,)``; None is all."""
        self._images = images
        self._places = Places(tasks.number)
        place = self._places.of(votes.task)
        here = place != NOWHERE
        self._votes = votes if here.all() else votes.take(here)
        self._place = place if here.all() else place[here]
        self._loose: list[tuple[Votes, Ints]] = []
        self._worker = {name: code for code, name in enumerate(votes.workers)}
        self._names = list(votes.workers)
        self._blocked = frozenset(known.blocked)
        self._pairs: Ints | None = None
        self._new_pairs: set[int] = set()
        self._drawn: tuple[Policy, Conclusion] | None = None
        self._gold_of: dict[str, dict[Task, bool]] = {}
        seen = self._places.of(np.array([task.number for task in known.gold], np.int64)) != NOWHERE
        for (task, yes), can_be_asked in zip(known.gold.items(), seen.tolist(), strict=True):
            if can_be_asked and task.number not in known.public:
                self._gold_of.setdefault(task.wnid, {})[task] = yes

    @classmethod
    def of(
        cls,
        tasks: Sequence[Task],
        votes: Iterable[Vote] = (),
        gold: Mapping[int, bool] | None = None,
        blocked: Collection[str] = (),
        priors: Mapping[int, float] | None = None,
        rulings: Mapping[int, Ruling] | None = None,
        found: Sequence[tuple[int, str]] = (),
    ) -> Tally:
        """That of tasks and votes one by one; what is known is by the number of the task."""
        by_number = {task.number: task for task in tasks}
        known = Known(
            {by_number[number]: yes for number, yes in (gold or {}).items() if number in by_number},
            blocked,
            Chances.of(priors or {}),
            rulings or {},
            Sightings.of([pair for pair in found if pair[0] in by_number]),
        )
        tally = cls(Tasks.of(tasks), NO_VOTES, known, InMemory(tasks))
        tally.add(votes)
        return tally

    # Votes

    def add(self, votes: Iterable[Vote]) -> None:
        """Count votes; those on tasks of other campaigns, and second votes of a worker, are left out."""
        cast = list(votes)
        place = self._places.of(np.array([vote.task for vote in cast], np.int64))
        worker = np.array([self._code(vote.worker) for vote in cast], np.int32)
        kept = self._new(place, worker)
        if not kept:
            return
        new = replace(Votes.of([cast[at] for at in kept]), worker=worker[kept], workers=self._names)
        self._loose.append((new, place[kept]))
        self._drawn, self.done = None, False
        self.opened = {number: mask for number, mask in self.opened.items() if number <= new.round.min()}

    def _code(self, worker: str) -> int:
        """A worker's place among the names; they get one."""
        if worker not in self._worker:
            self._worker[worker] = len(self._names)
            self._names.append(worker)
        return self._worker[worker]

    def _new(self, place: Ints, worker: Ints) -> list[int]:
        """Which of these votes are on a task of the campaign and their worker's first there; later ones are not."""
        if self._pairs is None or len(self._new_pairs) > max(MOST_LOOSE, len(self._pairs) // 8):
            votes, places = self._whole()
            self._pairs, self._new_pairs = np.sort(_pairs(places, votes.worker)), set()
        pairs = _pairs(place, worker)
        at = np.minimum(np.searchsorted(self._pairs, pairs), max(len(self._pairs) - 1, 0))
        known = self._pairs[at] == pairs if len(self._pairs) else np.zeros(len(pairs), bool)
        kept = []
        for number in np.flatnonzero((place != NOWHERE) & ~known).tolist():
            if (pair := int(pairs[number])) not in self._new_pairs:
                self._new_pairs.add(pair)
                kept.append(number)
        return kept

    def _whole(self) -> tuple[Votes, Ints]:
        """All votes, and the place of each one's task."""
        if self._loose:
            self._votes = self._votes.joined([votes for votes, _ in self._loose])
            self._place = np.concatenate([self._place, *(place for _, place in self._loose)])
            self._loose = []
        return self._votes, self._place

    @property
    def votes(self) -> Votes:
        """All votes, oldest first."""
        return self._whole()[0]

    @property
    def counting(self) -> Votes:
        """The votes that count, in the order of the ballot."""
        votes = self.votes
        counts = self._counts(votes)
        return votes if counts is None else votes.take(counts)

    def _counts(self, votes: Votes) -> Mask | None:
        """Which votes count, ``(votes,)``; None where all do."""
        asked = votes.round != TRAINING
        if not self._blocked:
            return None if asked.all() else asked
        allowed = np.array([name not in self._blocked for name in self._names], bool)
        return np.asarray(allowed[votes.worker] & asked) if len(allowed) else np.zeros(0, bool)

    @property
    def votes_per_task(self) -> Ints:
        """Number of votes on each task, ``(tasks,)``; those of blocked workers too."""
        return np.bincount(self._whole()[1], minlength=len(self.tasks))

    @property
    def workers(self) -> list[str]:
        """The names of the workers who have votes that count, in the order of the ballot."""
        return counting_workers(self._held())

    @property
    def last_round(self) -> int:
        """The newest round that any vote is of; 0 where none is of a round."""
        return int(self.votes.round.max(initial=0))

    @property
    def votes_of_pages(self) -> int:
        """How many votes are of a round, and so of a page; those of blocked workers too."""
        return int(np.count_nonzero(self.votes.round > 0))

    @property
    def first_rounds(self) -> Ints:
        """The round in which each task was first asked about, ``(tasks,)``; 0 where it was not yet."""
        first = first_rounds(self._held())
        return np.where(first == NEVER, 0, first)

    def before(self, number: int) -> Tally:
        """The tally as it was when round `number` began, under the gold and the blocks of now."""
        votes = self.votes
        return Tally(self.tasks, votes.take(votes.round < number), self.known, self._images)

    def only(self, places: Ints) -> Tally:
        """That of the tasks at some places, and the votes on them."""
        tasks = self.tasks
        chosen = replace(tasks, number=tasks.number[places], synset=tasks.synset[places], image=tasks.image[places])
        return Tally(chosen, self.votes, self.known, self._images)

    def voted_in(self, number: int) -> Mask:
        """Which tasks have a vote of round `number`, ``(tasks,)``."""
        votes, place = self._whole()
        found = np.zeros(len(self.tasks), bool)
        found[place[votes.round == number]] = True
        return found

    # Tasks one by one

    def named(self, places: Ints) -> list[Task]:
        """The tasks at these places."""
        numbers, wnids = self.tasks.number[places], self.tasks.wnids
        rows = zip(numbers.tolist(), self.tasks.synset[places].tolist(), self._images.digests(numbers), strict=True)
        return [Task(number, wnids[synset], sha256) for number, synset, sha256 in rows]

    def places_of(self, numbers: Ints) -> Ints:
        """The place of each number among the tasks, or `NOWHERE`."""
        return self._places.of(numbers)

    def seen(self, group: Ints, groups: int, number: int) -> list[frozenset[str]]:
        """Who has voted before round `number` on any task of each group, and who is blocked.

        `group` ``(tasks,)`` is that of each task, or `NOWHERE`.
        """
        votes, place = self._whole()
        of = group[place]
        chosen = (of != NOWHERE) & (votes.round < number)
        pairs = np.sort(_pairs(of[chosen], votes.worker[chosen]))
        pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
        starts = np.searchsorted(pairs, np.arange(groups + 1, dtype=np.int64) << 32)
        codes = (pairs & 0xFFFFFFFF).tolist()
        bounds = zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
        return [self._blocked.union(map(self._names.__getitem__, codes[start:end])) for start, end in bounds]

    def with_gold(self, page: Page) -> Page:
        """The page with gold of its synset among its tasks: see `holotype.crowd.gold.with_gold`."""
        return with_gold(page, self._gold_of.get(page.wnid, {}))

    # Conclusions

    def ballot(self) -> Ballot:
        """The votes that count as arrays."""
        held = self._held()
        return ballot_on(held, axes_of(held))

    def axes(self) -> Axes:
        """What the numbers of `ballot` mean."""
        return axes_of(self._held())

    def ballot_on(self, axes: Axes) -> Ballot | None:
        """The votes that count on the axes of an earlier ballot, new workers last; None where a synset or a batch is
        not among those."""
        known = set(axes.workers)
        grown = replace(axes, workers=[*axes.workers, *(name for name in self.workers if name not in known)])
        if not {*self.tasks.wnids} <= {*grown.wnids}:
            return None
        ballot = ballot_on(self._held(), grown)
        return None if ballot.batch is not None and (ballot.batch == NOWHERE).any() else ballot

    def _held(self) -> Held:
        votes, place = self._whole()
        return Held(self.tasks, self._places, votes, place, self._counts(votes), self.known)

    def conclude(self, policy: Policy) -> Conclusion:
        """What `policy` concludes of the votes that count; drawn once as long as no votes are added."""
        if self._drawn is None or self._drawn[0] is not policy:
            self._drawn = policy, concluded(policy, self.ballot())
        return self._drawn[1]

    def remember(self, policy: Policy, conclusion: Conclusion) -> None:
        """Know what `policy` concludes of just these votes and all that is known beside them."""
        self._drawn = policy, conclusion

    def open_at(self, number: int, policy: Policy) -> Mask:
        """Which tasks that may be asked about were open when round `number` began, ``(tasks,)``."""
        if number not in self.opened:
            self.begin(number, self.before(number).conclude(policy))
        return self._limited(self.opened[number])

    def begin(self, number: int, conclusion: Conclusion) -> Mask:
        """Know what was concluded when round `number` began; which tasks that may be asked about were open then,
        ``(tasks,)``."""
        before = {number - 1: self.opened[number - 1]} if number - 1 in self.opened else {}
        self.opened = before | {number: conclusion.are(State.OPEN)}
        return self._limited(self.opened[number])

    def _limited(self, open: Mask) -> Mask:
        return open if self.limit is None else np.asarray(open & self.limit)


def _pairs(place: Ints, worker: Ints) -> Ints:
    """A number for each pair of task and worker."""
    return np.asarray(place.astype(np.int64) << 32 | worker)
