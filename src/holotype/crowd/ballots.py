"""From the columns of a campaign to a ballot: what counts, on axes with names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints, Sources
from holotype.consensus.shards import Shard, Sorting, bounds_of
from holotype.consensus.votes import TRAINING
from holotype.crowd.cast import Block, Cast, joined
from holotype.crowd.columns import NOWHERE, Known, Places, Sightings, Tasks

NEVER: Final = np.iinfo(np.int32).max
"""The first round of what was never asked about: it comes after all others."""

_NEVER_NAMED: Final = np.iinfo(np.int64).max
"""What that round is called in the keys of batches."""

AT_ONCE: Final = 2_000_000
"""Tasks that are looked at at once."""


@dataclass(frozen=True, slots=True)
class Axes:
    """What the numbers of a ballot mean: the names of its workers, synsets and batches."""

    workers: Sequence[str]
    wnids: Sequence[str]
    batches: Sequence[str]


@dataclass(frozen=True, slots=True)
class Held:
    """What a ballot is made of: tasks and where they are; the votes of workers of these `names`; and what is known
    beside them."""

    tasks: Tasks
    places: Places
    cast: Cast
    names: Sequence[str]
    known: Known

    def counting(self) -> Iterator[Block]:
        """The votes that count: neither of blocked workers nor cast to learn."""
        blocked = frozenset(self.known.blocked)
        allowed = np.array([name not in blocked for name in self.names], bool) if blocked else None
        for block in self.cast.blocks():
            counts = block.round != TRAINING
            if allowed is not None and len(block):
                counts &= allowed[block.worker]
            yield block if counts.all() else block.take(counts)


def axes_of(held: Held) -> Axes:
    """The axes that have just what there is: workers in the order of their first votes, synsets in that of tasks."""
    keys, _ = _batches(held)
    return Axes(counting_workers(held), held.tasks.wnids, sorted(set(keys)))


def counting_workers(held: Held) -> list[str]:
    """The names of the workers whose votes count, in the order of their first ones."""
    first, before = np.full(len(held.names), _NEVER_NAMED), 0
    for block in held.counting():
        at = np.full(len(first), _NEVER_NAMED)
        at[block.worker[::-1]] = np.arange(before, before + len(block))[::-1]
        first, before = np.minimum(first, at), before + len(block)
    order = np.argsort(first, kind="stable")
    return [held.names[code] for code in order[first[order] != _NEVER_NAMED].tolist()]


def ballot_on(held: Held, axes: Axes) -> Ballot:
    """The votes that count as arrays on `axes`, which name all workers and synsets; a batch they do not name is
    `NOWHERE`."""
    votes = joined(held.counting())
    worker = _codes(held.names, axes.workers)[votes.worker] if len(votes) else votes.worker
    return replace(tasks_on(held, axes), task=votes.place, worker=worker, answer=votes.answer)


def shards_on(held: Held, axes: Axes, folder: Path) -> list[Shard]:
    """The ballot on `axes` as shards in a folder: see `holotype.consensus.shards`."""
    votes, workers = np.zeros(len(held.tasks), np.int32), _codes(held.names, axes.workers)
    for block in held.counting():
        np.add.at(votes, block.place, 1)
    sorting = Sorting(folder, tasks_on(held, axes), bounds_of(votes))
    for block in held.counting():
        sorting.add(block.place, workers[block.worker], block.answer)
    return sorting.shards()


def tasks_on(held: Held, axes: Axes) -> Ballot:
    """The ballot on `axes` without its votes."""
    known, nothing = held.known, np.zeros(0, np.int32)
    keys, batch = _batches(held)
    found = _found(held)
    return Ballot(
        nothing,
        nothing,
        np.zeros(0, np.int8),
        _codes(held.tasks.wnids, axes.wnids)[held.tasks.synset],
        len(axes.workers),
        len(axes.wnids),
        known=_said(held, {task.number: yes for task, yes in known.gold.items()}),
        prior=_prior(held) if len(known.chances.number) else None,
        batch=_codes(keys, axes.batches)[batch] if len(axes.batches) > 1 else None,
        ruled=_said(held, {number: ruling.answer for number, ruling in known.rulings.items()}, bool(known.rulings)),
        names=tuple(axes.workers),
        sources=Sources(tuple(found.names), held.places.of(found.number), found.source),
    )


def _codes(names: Sequence[str], among: Sequence[str]) -> Ints:
    """The place of each name among others, or `NOWHERE`, int32."""
    place = {name: number for number, name in enumerate(among)}
    return np.array([place.get(name, NOWHERE) for name in names], np.int32)


def _said(held: Held, answers: Mapping[int, bool], ever: bool = False) -> Ints | None:
    """What is said of the tasks, `UNKNOWN` of most; None where nothing is said of any of them, unless `ever`."""
    place = held.places.of(np.array(list(answers), np.int64))
    here = place != NOWHERE
    if not (ever or here.any()):
        return None
    found = np.full(len(held.tasks), UNKNOWN, np.int8)
    found[place[here]] = np.array(list(answers.values()), np.int8)[here]
    return found


def _prior(held: Held) -> Floats:
    chances = held.known.chances
    place = held.places.of(chances.number)
    prior = np.full(len(held.tasks), np.nan)
    prior[place[place != NOWHERE]] = chances.chance[place != NOWHERE]
    return prior


def _found(held: Held) -> Sightings:
    """Where the tasks were found; candidates that are no tasks, of images that cannot be seen, were found as well."""
    found = held.known.found
    here = held.places.of(found.number) != NOWHERE
    return found if here.all() else replace(found, number=found.number[here], source=found.source[here])


def _batches(held: Held) -> tuple[list[str], Ints]:
    """The batch of each task: what came from the same kinds of sources and was first asked about in the same round;
    what was never asked about comes next. Keys of batches, and the place of each task's among them."""
    rounds, at = _coded(first_rounds(held))
    named = [_NEVER_NAMED if number == NEVER else number for number in rounds.tolist()]
    found = _found(held)
    if not len(found.number):
        return [str(number) for number in named], at
    kinds, kind = _kinds(held, found)
    both, which = _coded(kind * len(rounds) + at)
    return [str((kinds[pair // len(rounds)], named[pair % len(rounds)])) for pair in both.tolist()], which


def first_rounds(held: Held) -> Ints:
    """The round in which each task was first asked about, whoever answered, or `NEVER`, ``(tasks,)``."""
    first, known = np.full(len(held.tasks), NEVER, np.int32), held.known.rounds
    for block in held.cast.blocks():
        asked = block.round > 0
        np.minimum.at(first, block.place[asked], block.round[asked])
    place = held.places.of(known.number)
    here = place != NOWHERE
    np.minimum.at(first, place[here], known.first[here].astype(np.int32))
    return first


def _kinds(held: Held, found: Sightings) -> tuple[list[list[str]], Ints]:
    """The sets of kinds of sources that tasks came from, and the place of each task's among them, ``(tasks,)``."""
    names = [name.partition(":")[0] for name in found.names]
    kinds: list[list[str]] = [[]]
    of: Ints = np.zeros(len(held.tasks), np.int32)
    for name in sorted(set(names)):
        mine = np.array([one == name for one in names], bool)[found.source]
        here = np.zeros(len(held.tasks), np.int32)
        here[held.places.of(found.number[mine])] = 1
        pairs, of = _coded(2 * of + here)
        kinds = [kinds[pair // 2] + [name][: pair % 2] for pair in pairs.tolist()]
    return kinds, of


def _coded(values: Ints) -> tuple[Ints, Ints]:
    """The distinct ones of small numbers, sorted, and the place of each number among them, int32."""
    starts = range(0, len(values), AT_ONCE)
    some = [np.unique(values[start : start + AT_ONCE]) for start in starts]
    every = np.unique(np.concatenate([values[:0], *some]))
    place = np.empty(len(values), np.int32)
    for start in starts:
        part = slice(start, start + AT_ONCE)
        place[part] = np.searchsorted(every, values[part])
    return every, place
