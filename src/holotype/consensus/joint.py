"""Machines as one voter: of the answers that several models give to an image together, one joint confusion table.

Models fail on the same images, so five that agree are not five witnesses. What counts is how often just these answers
together were given on good and on bad images, by gold and people's votes: a copy of a model changes nothing.

>>> import numpy as np
>>> from holotype.consensus.ballot import Ballot
>>> from holotype.consensus.posteriors import fit
>>> rng = np.random.default_rng(0)
>>> good = rng.random(2000) < 0.3
>>> person, model = (np.where(rng.random(2000) < np.where(good, 0.8, 0.1), 2, 0) for _ in range(2))
>>> task, answer = np.tile(np.arange(2000), 2), np.concatenate([person, model])
>>> known = np.where(np.arange(2000) < 200, good, -1)
>>> def votes(*names):
...     worker = np.repeat(np.arange(len(names)), 2000)
...     answers = np.concatenate([person, *[model] * (len(names) - 1)])
...     numbers = np.tile(np.arange(2000), len(names))
...     return Ballot(numbers, worker, answers, np.zeros(2000, int), len(names), 1, known=known, names=names)
>>> one, many = fit(votes("ann", "machine:a")), fit(votes("ann", "machine:a", "machine:copy", "machine:copy of it"))
>>> bool(np.abs(one.posterior - many.posterior).max() < 1e-9)
True
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.earning import CERTAIN, MachinePriors, Mask, Told, chance_of, earned, folds_of, own_columns
from holotype.consensus.earning import own_rates as rates_off
from holotype.consensus.votes import Answer, is_machine

SILENT: Final = -1
"""A machine's answer to what it was not asked."""
PATTERN_WEIGHT: Final = 10.0
"""Images that a coarser table weighs in what answers together mean."""
SYNSET_WEIGHT: Final = 20.0
"""Images that the table of all synsets weighs in that of one."""
ROUNDS: Final = 8


def machines_of(ballot: Ballot) -> Ints:
    """The numbers of the workers who are machines; none where workers have no names."""
    names = ballot.names or ()
    return np.array([number for number, name in enumerate(names) if is_machine(name)], np.int64)


def by_machines(ballot: Ballot) -> Mask:
    """Which votes are machines', ``(votes,)``."""
    machine = np.zeros(ballot.workers, bool)
    machine[machines_of(ballot)] = True
    return np.asarray(machine[ballot.worker])


def people_of(ballot: Ballot) -> Ballot:
    """The ballot with people's votes alone, on the same axes; the same one where no machine voted."""
    theirs = by_machines(ballot)
    return ballot.keep(~theirs) if theirs.any() else ballot


def one_voice(ballot: Ballot) -> Ballot:
    """The ballot in which all machines are one worker, for who counts votes: yes on a task where more of them say yes
    than no, no where fewer do, else unsure; the same one where no machine voted."""
    theirs = by_machines(ballot)
    if not theirs.any():
        return ballot
    people, said = ballot.keep(~theirs), ballot.answer[theirs].astype(np.int64) - Answer.UNSURE
    task, place = np.unique(ballot.task[theirs], return_inverse=True)
    voice = Answer.UNSURE + np.sign(np.bincount(place, said)).astype(np.int64)
    return dataclasses.replace(
        people,
        task=np.concatenate([people.task, task]),
        worker=np.concatenate([people.worker, np.full(len(task), machines_of(ballot)[0])]),
        answer=np.concatenate([people.answer, voice]),
    )


def answers_of(ballot: Ballot) -> Ints:
    """The answers of every machine to every task, `SILENT` where it gave none, ``(tasks, machines)``."""
    machines = machines_of(ballot)
    column = np.full(ballot.workers, SILENT)
    column[machines] = np.arange(len(machines))
    theirs = by_machines(ballot)
    found = np.full((ballot.tasks, len(machines)), SILENT, np.int8)
    found[ballot.task[theirs], column[ballot.worker[theirs]]] = ballot.answer[theirs]
    return found


def joint_prior(answers: Ints, ballot: Ballot, posterior: Floats, before: Floats) -> MachinePriors:
    """What machines' `answers` ``(tasks, machines)`` make of the chance of yes before any vote of people's `ballot`.

    `posterior` ``(tasks,)`` is what people's votes and gold come to alone, `before` ``(tasks,)`` where they began.

    Model: given the truth, the answers of all machines together are one draw from a table with a row for each pattern
    that occurs; Dirichlet priors draw a row to that of which answers occur in it at all (whether they agree), and a
    synset's table to that of all. Expectation maximisation over people's posteriors, gold clamped; in folds by task, so
    that nobody's vote comes back by way of a machine. What is counted is the share that the block earns
    (`holotype.consensus.earning`). Where no machine answered nothing is moved.
    """
    told = Told.of(ballot, posterior, before)
    found = earned(_Table.of(answers, told), ballot.synsets)
    return dataclasses.replace(found, prior=np.where((answers != SILENT).any(axis=1), found.prior, np.nan))


@dataclass(frozen=True, slots=True)
class _Table:
    """The joint confusion table: of every task its `pattern`, and its `cell`, which is that in its synset; of every
    pattern the `kind`, of every cell its pattern and synset."""

    pattern: Ints
    kind: Ints
    cell: Ints
    pattern_of: Ints
    synset_of: Ints
    spoke: Mask
    fold: Ints
    told: Told

    @classmethod
    def of(cls, answers: Ints, told: Told) -> _Table:
        some, pattern = np.unique(answers, axis=0, return_inverse=True)
        kind = sum(
            ((some == answer).any(axis=1) << place for place, answer in enumerate(Answer)), np.zeros(len(some), int)
        )
        cells, cell = np.unique(told.synset.astype(np.int64) * len(some) + pattern.ravel(), return_inverse=True)
        spoke = (answers != SILENT).any(axis=1)
        places = cells % max(len(some), 1), cells // max(len(some), 1)
        return cls(pattern.ravel(), kind, cell, *places, spoke, folds_of(told.synset, spoke), told)

    def shift(self, without: list[int]) -> tuple[Floats, Floats]:
        """What the block adds to each task's log odds, learned without some folds; and what base rates were off by."""
        told = self.told
        rows = np.flatnonzero(told.some & ~np.isin(self.fold, without))
        off = own_columns(told) @ rates_off(told, rows)
        taught = rows[self.spoke[rows]]
        ratio = np.zeros(len(self.pattern))
        for _ in range(ROUNDS):
            good = chance_of(told.base + off + told.votes + ratio)[taught]
            ratio = np.where(self.spoke, self._ratios(taught, good), 0.0)
        return np.clip(ratio, -CERTAIN, CERTAIN), off

    def _ratios(self, rows: Ints, good: Floats) -> Floats:
        """How much likelier the answers to each task are on a good image than on a bad one, in logs, where `rows` are
        `good` with these chances."""
        overall = float(np.log((good.sum() + 0.5) / ((1 - good).sum() + 0.5)))

        def level(code: Ints, beyond: Floats, of_all: Floats | float, weight: float) -> Floats:
            yes, no = (np.bincount(code[rows], by, minlength=len(beyond)) for by in (good, 1 - good))
            believed = chance_of(of_all + beyond)
            return np.log((yes + weight * believed) / (no + weight * (1 - believed))) - of_all

        kinds = level(self.kind[self.pattern], np.zeros(1 << len(Answer)), overall, PATTERN_WEIGHT)
        patterns = level(self.pattern, kinds[self.kind], overall, PATTERN_WEIGHT)
        synsets = (
            level(self.told.synset, np.zeros(self.synset_of.max(initial=-1) + 1), overall, SYNSET_WEIGHT) + overall
        )
        return level(self.cell, patterns[self.pattern_of], synsets[self.synset_of], SYNSET_WEIGHT)[self.cell]
