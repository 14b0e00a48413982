"""The tasks of a campaign and their votes, kept as columns that grow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from holotype.consensus.ballot import Ballot, Ints
from holotype.consensus.votes import Ruling, Task, Vote
from holotype.crowd.ballots import NEVER, Axes, Held, axes_of, ballot_on, counting_workers, first_rounds, shards_on
from holotype.crowd.cast import Block, Cast, Pairs, joined, pairs_of
from holotype.crowd.columns import NO_VOTES, NOWHERE, Chances, Digests, InMemory, Known, Places, Sightings, Tasks, Votes
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.crowd.gold import with_gold
from holotype.crowd.guards import Mask
from holotype.crowd.port import Page
from holotype.crowd.sharded import LARGE, conclude_shards, goes_by_shards, room_for_shards


class Tally:
    """The tasks of a campaign, their votes and what is known beside them.

    All votes are held, those of blocked workers and those of training too, but only the others are in the ballot. No
    worker has two votes on a task. Votes are given at once, or in parts that follow each other, of which the last names
    all workers; where they are many, memory holds a part of them (`holotype.crowd.cast`).
    """

    def __init__(self, tasks: Tasks, votes: Votes | Iterable[Votes], known: Known, images: Digests) -> None:
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
        self._cast = Cast()
        self._names: list[str] = []
        for part in [votes] if isinstance(votes, Votes) else votes:
            self._names = list(part.workers)
            self._cast.add(self._here(part))
        self._worker = {name: code for code, name in enumerate(self._names)}
        self._blocked = frozenset(known.blocked)
        self._pairs: Pairs | None = None
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
        new = Block.of(replace(Votes.of([cast[at] for at in kept]), worker=worker[kept]), place[kept])
        self._cast.add(new)
        self._drawn, self.done = None, False
        self.opened = {number: mask for number, mask in self.opened.items() if number <= new.round.min()}

    def _here(self, votes: Votes) -> Block:
        """Those of some votes that are on tasks of the campaign."""
        place = self._places.of(votes.task)
        block, here = Block.of(votes, place), place != NOWHERE
        return block if here.all() else block.take(here)

    def _code(self, worker: str) -> int:
        """A worker's place among the names; they get one."""
        if worker not in self._worker:
            self._worker[worker] = len(self._names)
            self._names.append(worker)
        return self._worker[worker]

    def _new(self, place: Ints, worker: Ints) -> list[int]:
        """Which of these votes are on a task of the campaign and their worker's first there; later ones are not."""
        here = np.flatnonzero(place != NOWHERE)
        if self._pairs is None:
            self._pairs = Pairs(self._cast.blocks(), self._cast.in_files)
        return list(here[self._pairs.new(pairs_of(place[here], worker[here]))].tolist())

    @property
    def votes_cast(self) -> int:
        """How many votes there are, those of blocked workers and of training too."""
        return len(self._cast)

    @property
    def votes(self) -> Votes:
        """All votes, oldest first, in memory."""
        return joined(self._cast.blocks()).on(self.tasks.number, self._names)

    @property
    def counting(self) -> Votes:
        """The votes that count, in the order of the ballot, in memory."""
        return joined(self._held().counting()).on(self.tasks.number, self._names)

    @property
    def votes_per_task(self) -> Ints:
        """Number of votes on each task, ``(tasks,)``; those of blocked workers too."""
        found = np.zeros(len(self.tasks), np.int64)
        for block in self._cast.blocks():
            found += np.bincount(block.place, minlength=len(found))
        return found

    @property
    def workers(self) -> list[str]:
        """The names of the workers who have votes that count, in the order of the ballot."""
        return counting_workers(self._held())

    @property
    def last_round(self) -> int:
        """The newest round that any vote is of; 0 where none is of a round."""
        return self._cast.last_round

    @property
    def votes_of_pages(self) -> int:
        """How many votes are of a round, and so of a page; those of blocked workers too."""
        return self._cast.of_pages

    @property
    def first_rounds(self) -> Ints:
        """The round in which each task was first asked about, ``(tasks,)``; 0 where it was not yet."""
        first = first_rounds(self._held())
        return np.where(first == NEVER, 0, first)

    def before(self, number: int) -> Tally:
        """The tally as it was when round `number` began, under the gold and the blocks of now."""
        earlier = (block.take(block.round < number) for block in self._cast.blocks())
        return Tally(self.tasks, self._parts(earlier), self.known, self._images)

    def only(self, places: Ints) -> Tally:
        """That of the tasks at some places, and the votes on them."""
        tasks, here = self.tasks, np.zeros(len(self.tasks), bool)
        here[places] = True
        chosen = replace(tasks, number=tasks.number[places], synset=tasks.synset[places], image=tasks.image[places])
        theirs = (block.take(here[block.place]) for block in self._cast.blocks())
        return Tally(chosen, self._parts(theirs), self.known, self._images)

    def _parts(self, blocks: Iterable[Block]) -> Iterator[Votes]:
        """Votes by the numbers of their tasks; one part at least, which names the workers."""
        yield replace(NO_VOTES, workers=self._names)
        for block in blocks:
            yield block.on(self.tasks.number, self._names)

    def voted_in(self, number: int) -> Mask:
        """Which tasks have a vote of round `number`, ``(tasks,)``."""
        found = np.zeros(len(self.tasks), bool)
        for block in self._cast.blocks():
            found[block.place[block.round == number]] = True
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
        found = [np.zeros(0, np.int64)]
        for block in self._cast.blocks():
            of = group[block.place]
            chosen = (of != NOWHERE) & (block.round < number)
            found.append(np.unique(pairs_of(of[chosen], block.worker[chosen])))
        pairs = np.unique(np.concatenate(found))
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
        return Held(self.tasks, self._places, self._cast, self._names, self.known)

    def conclude(self, policy: Policy) -> Conclusion:
        """What `policy` concludes of the votes that count; drawn once as long as no votes are added."""
        if self._drawn is None or self._drawn[0] is not policy:
            self._drawn = policy, self._concluded(policy)
        return self._drawn[1]

    def _concluded(self, policy: Policy) -> Conclusion:
        """What a policy concludes, of a `LARGE` number of votes shard by shard, where it can."""
        if self.votes_cast < LARGE or not goes_by_shards(policy, self.workers):
            return policy.conclude(self.ballot())
        with room_for_shards() as folder:
            return conclude_shards(policy, shards_on(self._held(), self.axes(), folder), folder).whole()

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
