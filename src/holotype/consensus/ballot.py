"""Votes as columns: what every aggregator and every policy reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from holotype.consensus.votes import Answer

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]

UNKNOWN = -1
"""In `Ballot.known` and `Ballot.ruled`: nobody has said for sure."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where tasks were found: `task` and `source` ``(sightings,)`` are dense indices, `names` are the sources'."""

    names: Sequence[str]
    task: Ints
    source: Ints


@dataclass(frozen=True, slots=True)
class Ballot:
    """Votes as columns over dense indices, and what is known of the tasks beside them.

    `task`, `worker` and `answer` are ``(votes,)``; `synset` is ``(tasks,)``, the synset each task asks about;
    `workers`, `synsets` and `answers` count. `known` ``(tasks,)`` is the true class of gold tasks and `UNKNOWN`
    elsewhere; `prior` ``(tasks,)`` is a chance of yes from before any vote, by a model or the yield of a query, and NaN
    where there is none. `batch` ``(tasks,)`` numbers what came in together, from 0, and None is one batch: tasks of one
    synset and batch share a base rate. No worker may vote twice on a task (`first_votes` drops the later ones).

    `ruled` ``(tasks,)`` is the class a curator says a task is of, whatever the votes say, and `UNKNOWN` elsewhere: it
    decides the task and tells nothing about workers. `names` ``(workers,)`` and `sources` are for policies that go by
    who voted or by where an image was found.
    """

    task: Ints
    worker: Ints
    answer: Ints
    synset: Ints
    workers: int
    synsets: int
    answers: int = len(Answer)
    known: Ints | None = None
    prior: Floats | None = None
    batch: Ints | None = None
    ruled: Ints | None = None
    names: Sequence[str] | None = None
    sources: Sources | None = None

    @property
    def tasks(self) -> int:
        """Number of tasks, with and without votes."""
        return len(self.synset)

    @property
    def asked_about(self) -> npt.NDArray[np.bool_]:
        """Whether a task's truth is for the votes to find: all but gold, ``(tasks,)``."""
        return np.ones(self.tasks, bool) if self.known is None else np.asarray(self.known == UNKNOWN)

    @property
    def left_to_policy(self) -> npt.NDArray[np.bool_]:
        """Whether a task's state is for a policy to find: neither gold nor ruled on by a curator, ``(tasks,)``."""
        return self.asked_about if self.ruled is None else np.asarray(self.asked_about & (self.ruled == UNKNOWN))

    @property
    def votes_per_task(self) -> Ints:
        """Number of votes on each task, ``(tasks,)``."""
        return np.bincount(self.task, minlength=self.tasks)

    def count(self, answer: int) -> Ints:
        """Number of votes of one kind on each task, ``(tasks,)``."""
        return np.bincount(self.task[self.answer == answer], minlength=self.tasks)

    def counts(self) -> Ints:
        """Number of votes of every kind on each task, ``(tasks, answers)``."""
        cells = self.task.astype(np.int64)
        cells *= self.answers
        cells += self.answer
        return np.bincount(cells, minlength=self.tasks * self.answers).reshape(self.tasks, self.answers)

    def keep(self, chosen: npt.NDArray[Any]) -> Ballot:
        """The same tasks with only the chosen votes (a mask or indices)."""
        return dataclasses.replace(self, task=self.task[chosen], worker=self.worker[chosen], answer=self.answer[chosen])

    def groups(self) -> tuple[Ints, Ints]:
        """The group of every task, ``(tasks,)``, which is those of one synset and batch, and each group's batch."""
        if self.batch is None:
            return self.synset, np.zeros(self.synsets, np.int64)
        keys, group = np.unique(self.batch.astype(np.int64) * self.synsets + self.synset, return_inverse=True)
        return group, keys // max(self.synsets, 1)

    def of_tasks(self, chosen: Ints) -> Ballot:
        """Only the chosen tasks (sorted indices), with the votes on them, but without their sources."""
        place = np.full(self.tasks, -1)
        place[chosen] = np.arange(len(chosen))
        votes = self.keep(place[self.task] >= 0)
        known, batch, ruled = (
            None if column is None else column[chosen] for column in (self.known, self.batch, self.ruled)
        )
        return dataclasses.replace(
            votes,
            task=place[votes.task],
            synset=self.synset[chosen],
            known=known,
            prior=None if self.prior is None else self.prior[chosen],
            batch=batch,
            ruled=ruled,
            sources=None,
        )

    def incidence(self) -> csr_array:
        """The votes as a sparse matrix of ones, ``(tasks, workers * answers)``.

        Times a column per (worker, answer) it sums over a task's votes; transposed, over a worker's.
        """
        from scipy.sparse import csr_array

        task, cell = self.task, np.asarray(self.worker, np.int32) * np.int32(self.answers) + self.answer
        if np.any(task[1:] < task[:-1]):
            order = np.argsort(task, kind="stable")
            cell = cell[order]
        ends = np.concatenate([[0], np.cumsum(self.votes_per_task)]).astype(np.int32)
        shape = self.tasks, self.workers * self.answers
        return csr_array((np.ones(len(cell)), cell.astype(np.int32, copy=False), ends), shape=shape)


def first_votes(task: Ints, worker: Ints) -> Ints:
    """Indices of the votes that count, sorted by task and worker: of a worker's several votes on a task the first."""
    key = task.astype(np.int64)
    key <<= 32
    key |= worker
    order = np.argsort(key)
    key = key[order]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])[: len(key)])
    return order if len(starts) == len(order) else np.minimum.reduceat(order, starts)
