"""From the columns of a campaign to a ballot: what counts, on axes with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints, Sources
from holotype.crowd.columns import NOWHERE, Known, Places, Sightings, Tasks, Votes
from holotype.crowd.guards import Mask

NEVER: Final = np.iinfo(np.int64).max
"""The first round of what was never asked about: it comes after all others."""


@dataclass(frozen=True, slots=True)
class Axes:
    """What the numbers of a ballot mean: the names of its workers, synsets and batches."""

    workers: Sequence[str]
    wnids: Sequence[str]
    batches: Sequence[str]


@dataclass(frozen=True, slots=True)
class Held:
    """What a ballot is made of: tasks and where they are; all votes, the place of each one's task, which of them count,
    ``(votes,)`` each, None where all do; and what is known beside them."""

    tasks: Tasks
    places: Places
    votes: Votes
    place: Ints
    counts: Mask | None
    known: Known


def axes_of(held: Held) -> Axes:
    """The axes that have just what there is: workers in the order of their first votes, synsets in that of tasks."""
    keys, _ = _batches(held)
    return Axes(counting_workers(held), held.tasks.wnids, sorted(set(keys)))


def counting_workers(held: Held) -> list[str]:
    """The names of the workers whose votes count, in the order of their first ones."""
    codes = held.votes.worker if held.counts is None else held.votes.worker[held.counts]
    first = np.full(len(held.votes.workers), NEVER)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    order = np.argsort(first, kind="stable")
    return [held.votes.workers[code] for code in order[first[order] != NEVER].tolist()]


def ballot_on(held: Held, axes: Axes) -> Ballot:
    """The votes that count as arrays on `axes`, which name all workers and synsets; a batch they do not name is
    `NOWHERE`."""
    votes, place, known = held.votes, held.place, held.known
    worker = _codes(votes.workers, axes.workers)[votes.worker] if len(votes) else votes.worker
    chosen = slice(None) if held.counts is None else held.counts
    synset = _codes(held.tasks.wnids, axes.wnids)
    keys, batch = _batches(held)
    found = _found(held)
    return Ballot(
        place[chosen],
        worker[chosen],
        votes.answer[chosen],
        synset[held.tasks.synset].astype(np.int64),
        len(axes.workers),
        len(axes.wnids),
        known=_said(held, {task.number: yes for task, yes in known.gold.items()}),
        prior=_prior(held) if len(known.chances.number) else None,
        batch=_codes(keys, axes.batches)[batch].astype(np.int64) if len(axes.batches) > 1 else None,
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
    found = np.full(len(held.tasks), UNKNOWN)
    found[place[here]] = np.array(list(answers.values()), np.int64)[here]
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
    rounds, at = np.unique(first_rounds(held), return_inverse=True)
    found = _found(held)
    if not len(found.number):
        return [str(number) for number in rounds.tolist()], at
    kinds, kind = _kinds(held, found)
    both, which = np.unique(kind * len(rounds) + at, return_inverse=True)
    return [str((kinds[pair // len(rounds)], int(rounds[pair % len(rounds)]))) for pair in both.tolist()], which


def first_rounds(held: Held) -> Ints:
    """The round in which each task was first asked about, whoever answered, or `NEVER`, ``(tasks,)``."""
    first = np.full(len(held.tasks), NEVER)
    asked, known = held.votes.round > 0, held.known.rounds
    np.minimum.at(first, held.place[asked], held.votes.round[asked])
    place = held.places.of(known.number)
    here = place != NOWHERE
    np.minimum.at(first, place[here], known.first[here])
    return first


def _kinds(held: Held, found: Sightings) -> tuple[list[list[str]], Ints]:
    """The sets of kinds of sources that tasks came from, and the place of each task's among them, ``(tasks,)``."""
    names = [name.partition(":")[0] for name in found.names]
    kinds: list[list[str]] = [[]]
    of = np.zeros(len(held.tasks), np.int64)
    for name in sorted(set(names)):
        mine = np.array([one == name for one in names], bool)[found.source]
        here = np.zeros(len(held.tasks), np.int64)
        here[held.places.of(found.number[mine])] = 1
        pairs, of = np.unique(2 * of + here, return_inverse=True)
        kinds = [kinds[pair // 2] + [name][: pair % 2] for pair in pairs.tolist()]
    return kinds, of
