"""Votes of many tasks as files of a few tasks each, so that nobody has to hold them all.

A shard has tasks that follow each other, with all votes on them. Where tasks are in the order of synsets, as a
catalog's are, it is a range of synsets; one with more votes than a shard holds is split by images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Ballot, Ints

SIZE: Final = 2_000_000
"""Tasks and votes of a shard, together."""

AT_ONCE: Final = 4_000_000
"""Votes that are sorted into shards at once."""

Columns = dict[str, npt.NDArray[Any]]
_CAST: Final = np.dtype([("task", "<i4"), ("worker", "<i4"), ("answer", "i1")])
_OF_BALLOT: Final = ("synset", "known", "prior", "batch", "ruled")
_KINDS: Final = {
    **dict.fromkeys(("votes", "worker", "synset", "batch", "group"), np.int32),
    **dict.fromkeys(("answer", "known", "ruled"), np.int8),
}


@dataclass(frozen=True, slots=True)
class Shard:
    """The tasks from `start` to `stop`, without that, and the `votes` on them, so many, in a file at `path`; there are
    so many `workers`, `synsets` and `answers` in all shards."""

    path: Path
    start: int
    stop: int
    votes: int
    workers: int
    synsets: int
    answers: int

    def read(self) -> Ballot:
        """Its tasks and votes, those of a task in the order they came, on the axes that all shards have."""
        return self._ballot(self._columns())

    def grouped(self) -> tuple[Ballot, Ints]:
        """`read`, and the group of every task, ``(tasks,)``, where that was written."""
        columns = self._columns()
        return self._ballot(columns), columns["group"]

    def votes_per_task(self) -> Ints:
        """Number of votes on each task, ``(tasks,)``."""
        with np.load(self.path, allow_pickle=False) as held:
            return np.asarray(held["votes"])

    def _columns(self) -> Columns:
        with np.load(self.path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}

    def _ballot(self, columns: Columns) -> Ballot:
        task = np.repeat(np.arange(self.stop - self.start, dtype=np.int32), columns["votes"])
        told: dict[str, Any] = {name: columns.get(name) for name in _OF_BALLOT if name != "synset"}
        sizes = self.workers, self.synsets, self.answers
        return Ballot(task, columns["worker"], columns["answer"], columns["synset"], *sizes, **told)

    def write(self, path: Path, ballot: Ballot, group: Ints | None = None) -> Shard:
        """The shard with other votes, on the same tasks in order, in a file at `path`; `group` is that of each task."""
        np.savez(path, **_columns_of(ballot, group))  # type: ignore[arg-type]
        return replace(self, path=path, votes=len(ballot.task))


def _columns_of(ballot: Ballot, group: Ints | None) -> Columns:
    told: dict[str, Any] = {name: getattr(ballot, name) for name in _OF_BALLOT} | {"group": group}
    told |= {"votes": ballot.votes_per_task, "worker": ballot.worker, "answer": ballot.answer}
    return {name: column.astype(_KINDS.get(name, column.dtype)) for name, column in told.items() if column is not None}


def bounds_of(votes: Ints, most: int = SIZE) -> Ints:
    """Where shards begin, and where the last ends, of tasks with so many votes each, ``(tasks,)``.

    A shard has at most `most` tasks and votes together; a task with more has a shard of its own.
    """
    bounds, before, total = [0], 0, 0
    for start in range(0, len(votes), AT_ONCE):
        ends = total + np.cumsum(votes[start : start + AT_ONCE].astype(np.int64) + 1)
        while (stop := int(np.searchsorted(ends, before + most, side="right"))) < len(ends):
            stop = max(stop, bounds[-1] + 1 - start)
            bounds.append(start + stop)
            before = int(ends[stop - 1]) if stop else total
        total = int(ends[-1])
    return np.array([*bounds, len(votes)] if bounds[-1] < len(votes) or not len(votes) else bounds, np.int64)


class Sorting:
    """Sorts votes that come in any order into shards in a folder, in memory that `AT_ONCE` and a shard bound.

    `tasks` is a ballot that has all tasks, whose votes do not count.
    """

    def __init__(self, folder: Path, tasks: Ballot, bounds: Ints) -> None:
        self._folder, self._tasks, self._bounds = folder, tasks, bounds

    def add(self, task: Ints, worker: Ints, answer: Ints) -> None:
        """Add votes, ``(votes,)`` each."""
        shard = np.searchsorted(self._bounds, task, side="right") - 1
        order = np.argsort(shard, kind="stable")
        cast = np.empty(len(task), _CAST)
        cast["task"], cast["worker"], cast["answer"] = task[order], worker[order], answer[order]
        some, starts = np.unique(shard[order], return_index=True)
        for number, (start, stop) in zip(some.tolist(), pairwise([*starts.tolist(), len(task)]), strict=True):
            with self._unsorted(number).open("ab") as file:
                cast[start:stop].tofile(file)

    def shards(self) -> list[Shard]:
        """The shards of all votes that were added."""
        bounds = pairwise(self._bounds.tolist())
        return [self._sorted(number, start, stop) for number, (start, stop) in enumerate(bounds)]

    def _unsorted(self, number: int) -> Path:
        return self._folder / f"{number:06d}.votes"

    def _sorted(self, number: int, start: int, stop: int) -> Shard:
        path, tasks = self._unsorted(number), self._tasks
        cast = np.fromfile(path, _CAST) if path.exists() else np.zeros(0, _CAST)
        path.unlink(missing_ok=True)
        cast = cast[np.argsort(cast["task"], kind="stable")]
        told: dict[str, Any] = {name: getattr(tasks, name) for name in _OF_BALLOT}
        part: dict[str, Any] = {name: None if column is None else column[start:stop] for name, column in told.items()}
        part |= {"task": cast["task"] - start, "worker": cast["worker"], "answer": cast["answer"]}
        ballot = replace(tasks, **part, names=None, sources=None)
        shard = Shard(path.with_suffix(".npz"), start, stop, 0, tasks.workers, tasks.synsets, tasks.answers)
        return shard.write(shard.path, ballot)


def joined(parts: Sequence[Ballot]) -> Ballot:
    """Ballots of tasks that follow each other, on the same axes, as one; there is one at least."""
    starts = np.cumsum([0, *(part.tasks for part in parts)]).tolist()

    def whole(name: str) -> Any:
        columns = [getattr(part, name) for part in parts]
        return None if any(column is None for column in columns) else np.concatenate(columns)

    task = np.concatenate([part.task + start for part, start in zip(parts, starts, strict=False)])
    return replace(parts[0], task=task, **{name: whole(name) for name in ("worker", "answer", *_OF_BALLOT)})
