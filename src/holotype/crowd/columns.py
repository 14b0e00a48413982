"""Tasks, votes and where images were found, as columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Floats, Ints
from holotype.consensus.votes import Ruling, Task, Vote

NOWHERE: Final = -1
"""The place of what is not there."""


class Digests(Protocol):
    """Whoever knows the images of tasks: a catalog, or a list in memory."""

    def digests(self, numbers: Ints) -> Sequence[str]:
        """The sha256 of each task's image, by the tasks' numbers."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """Questions in the order in which they are asked: their `number` in the catalog, the place of their synset among
    `wnids`, which are in the order they come first, and a number for their image; ``(tasks,)`` each."""

    number: Ints
    synset: Ints
    image: Ints
    wnids: Sequence[str]

    @classmethod
    def of(cls, tasks: Sequence[Task]) -> Tasks:
        """Those of tasks one by one."""
        synsets = {wnid: place for place, wnid in enumerate(dict.fromkeys(task.wnid for task in tasks))}
        images = {sha256: place for place, sha256 in enumerate(dict.fromkeys(task.sha256 for task in tasks))}
        rows = [(task.number, synsets[task.wnid], images[task.sha256]) for task in tasks]
        number, synset, image = np.array(rows, np.int64).reshape(-1, 3).T
        return cls(number, synset, image, list(synsets))

    def __len__(self) -> int:
        return len(self.number)


class Places:
    """Where each number is among `numbers`."""

    def __init__(self, numbers: Ints) -> None:
        self._numbers = numbers
        self._order: Ints | None = None
        top = int(numbers.max(initial=-1)) + 1
        if top <= 8 * len(numbers) + 1024 and numbers.min(initial=0) >= 0:
            self._table = np.full(top + 1, NOWHERE, np.int32)  # the last is for numbers that are not there
            self._table[numbers] = np.arange(len(numbers), dtype=np.int32)
        else:
            self._order = np.argsort(numbers, kind="stable")

    def of(self, wanted: Ints) -> Ints:
        """The place of each number that is wanted, or `NOWHERE`, int32."""
        if self._order is None:
            known = np.where((wanted >= 0) & (wanted < len(self._table)), wanted, len(self._table) - 1)
            return np.asarray(self._table[known])
        place = np.minimum(np.searchsorted(self._numbers, wanted, sorter=self._order), len(self._numbers) - 1)
        found = self._order[place]
        return np.where(self._numbers[found] == wanted, found, NOWHERE).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes in the order they came, ``(votes,)`` each: the number of the task, the place of the worker among `workers`,
    the answer, the round; and where they are wanted the seconds taken and the Unix time."""

    task: Ints
    worker: Ints
    answer: Ints
    round: Ints
    workers: Sequence[str]
    seconds: Floats | None = None
    at: Floats | None = None

    @classmethod
    def of(cls, votes: Iterable[Vote]) -> Votes:
        """Those of votes one by one."""
        votes = list(votes)
        workers = {name: place for place, name in enumerate(dict.fromkeys(vote.worker for vote in votes))}
        rows = [(vote.task, workers[vote.worker], vote.answer, vote.round) for vote in votes]
        task, worker, answer, number = np.array(rows, np.int64).reshape(-1, 4).T
        seconds, at = (np.array([getattr(vote, name) for vote in votes], np.float64) for name in ("seconds", "at"))
        small = worker.astype(np.int32), answer.astype(np.int8), number.astype(np.int32)
        return cls(task, *small, list(workers), seconds, at)

    def __len__(self) -> int:
        return len(self.task)

    @property
    def timing(self) -> tuple[Floats, Floats]:
        """The seconds taken and the times. Raises `ValueError` where they are not held."""
        if self.seconds is None or self.at is None:
            raise ValueError("these votes do not say when they were cast")
        return self.seconds, self.at

    def take(self, chosen: npt.NDArray[np.generic]) -> Votes:
        """The chosen votes (a mask or indices)."""
        seconds, at = (None if column is None else column[chosen] for column in (self.seconds, self.at))
        columns = self.task[chosen], self.worker[chosen], self.answer[chosen], self.round[chosen]
        return Votes(*columns, self.workers, seconds, at)


NO_VOTES: Final = Votes.of(())


@dataclass(frozen=True, slots=True)
class Sightings:
    """Where tasks were found: the `number` of the task and the place of the source among `names`; each pair once."""

    number: Ints
    source: Ints
    names: Sequence[str]

    @classmethod
    def of(cls, found: Sequence[tuple[int, str]]) -> Sightings:
        """Those of pairs of a task's number and a source."""
        names = {source: place for place, source in enumerate(dict.fromkeys(source for _, source in found))}
        number, source = np.array([(task, names[name]) for task, name in found], np.int64).reshape(-1, 2).T
        return cls(number, source, list(names))


@dataclass(frozen=True, slots=True)
class Chances:
    """How probable a yes is before any vote, by the number of the task, ``(priors,)`` each."""

    number: Ints
    chance: Floats

    @classmethod
    def of(cls, chances: Mapping[int, float]) -> Chances:
        """Those of a mapping."""
        return cls(np.array(list(chances), np.int64), np.array(list(chances.values()), np.float64))


@dataclass(frozen=True, slots=True)
class Rounds:
    """The first round in which a task was asked about, by the number of the task, ``(tasks,)`` each."""

    number: Ints
    first: Ints


NO_CHANCES: Final = Chances.of({})
NO_SIGHTINGS: Final = Sightings.of(())
NO_ROUNDS: Final = Rounds(np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of tasks and workers beside the votes.

    `gold` says of some tasks whether the answer is yes, `rulings` what a curator says it is whatever the votes say, by
    the task's number; `chances` how probable a yes is; `found` where images were found. Votes of `blocked` workers do
    not count. `public` are the numbers of tasks whose image workers are shown as an example: as gold they are asked of
    nobody. `rounds` are for votes that do not say of which round they are.
    """

    gold: Mapping[Task, bool] = field(default_factory=dict)
    blocked: Collection[str] = ()
    chances: Chances = NO_CHANCES
    rulings: Mapping[int, Ruling] = field(default_factory=dict)
    found: Sightings = NO_SIGHTINGS
    public: Collection[int] = frozenset()
    rounds: Rounds = NO_ROUNDS


class InMemory:
    """The images of tasks that are held one by one."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._digest = {task.number: task.sha256 for task in tasks}

    def digests(self, numbers: Ints) -> list[str]:
        """The sha256 of each task's image, by the tasks' numbers."""
        return [self._digest[number] for number in numbers.tolist()]
