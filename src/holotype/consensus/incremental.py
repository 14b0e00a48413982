"""Adding votes to a fitted model without fitting it anew."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from holotype.consensus.ballot import Ballot, Floats, first_votes
from holotype.consensus.em import Fitted, Gold, Model, Schedule, evidence, expected_counts, maximise, normalised

if TYPE_CHECKING:
    pass

LOCAL_ROUNDS: Final = 3
PASS_AFTER: Final = 0.1
"""A full pass is due when the votes added since the last one are this share of those it saw."""


@dataclass(frozen=True, slots=True)
class Running:
    """A fitted model that votes can be added to.

    `probas` ``(tasks, classes)`` and `counts` ``(workers, answers, classes)`` are the expectations as they stand;
    `passed` is the number of votes at the last full pass.
    """

    ballot: Ballot
    probas: Floats
    counts: Floats
    passed: int

    @classmethod
    def begin(cls, ballot: Ballot, probas: Floats) -> Running:
        """Take up a model fitted to `ballot`."""
        return cls(ballot, probas, expected_counts(ballot.incidence(), probas, ballot.answers), len(ballot.task))


def add_votes(
    running: Running,
    ballot: Ballot,
    model: Model,
    schedule: Schedule = Schedule(),
    classes: int = 0,
) -> tuple[Running, Fitted]:
    """The model with the votes of `ballot`: those it was fitted to, then new ones, over axes that may have grown.

    `joined` makes such a ballot; `model` is that of the whole, with several kinds of image to each of `classes` (see
    `Gold`).

    Only tasks with new votes and the workers who cast votes on them move, in three rounds; every other posterior
    waits for the full pass, which starts from where things stand and runs when votes grew by a tenth since the last
    one.
    """
    gold = Gold.of(ballot.known, classes)
    probas = np.full((ballot.tasks, running.probas.shape[1]), 1 / running.probas.shape[1])
    probas[: len(running.probas)] = running.probas
    counts = np.zeros((ballot.workers, *running.counts.shape[1:]))
    counts[: len(running.counts)] = running.counts
    probas, counts = _settle(ballot, len(running.ballot.task), probas, counts, model, gold)
    if len(ballot.task) <= (1 + PASS_AFTER) * running.passed:
        return Running(ballot, probas, counts, running.passed), Fitted(probas, model.confusion(counts), LOCAL_ROUNDS)
    found = maximise(ballot.incidence(), probas, model, ballot.answers, schedule, gold)
    return Running.begin(ballot, found.probas), found


def joined(old: Ballot, new: Ballot) -> Ballot:
    """All votes, the old ones first, over the axes of `new`; a worker's second vote on a task is left out."""
    concerned = np.zeros(new.tasks, bool)
    concerned[new.task] = True
    before = np.flatnonzero(concerned[old.task])
    pair = np.concatenate([old.task[before], new.task]), np.concatenate([old.worker[before], new.worker])
    kept = first_votes(*pair)
    fresh = np.sort(kept[kept >= len(before)]) - len(before)
    return dataclasses.replace(
        new,
        task=np.concatenate([old.task, new.task[fresh]]),
        worker=np.concatenate([old.worker, new.worker[fresh]]),
        answer=np.concatenate([old.answer, new.answer[fresh]]),
    )


def _settle(
    ballot: Ballot, old: int, probas: Floats, counts: Floats, model: Model, gold: Gold | None
) -> tuple[Floats, Floats]:
    """Local rounds over the tasks that have votes from number `old` on."""
    concerned = np.zeros(ballot.tasks, bool)
    concerned[ballot.task[old:]] = True
    rows = np.flatnonzero(concerned)
    place = np.cumsum(concerned) - 1
    chosen = np.flatnonzero(concerned[ballot.task])
    known = None if gold is None else dataclasses.replace(gold, known=gold.known[rows])
    local = dataclasses.replace(ballot, synset=ballot.synset[rows]).keep(chosen)
    local = dataclasses.replace(local, task=place[local.task])
    votes = local.incidence()
    before = local.keep(chosen < old).incidence()

    others = counts - expected_counts(before, probas[rows], ballot.answers)
    offset = np.broadcast_to(model.offset(probas), probas.shape)[rows]
    here = probas[rows]
    for _ in range(LOCAL_ROUNDS):
        here = normalised(
            evidence(votes, model.confusion(others + expected_counts(votes, here, ballot.answers))) + offset
        )
        if known is not None:
            known.impose(here)
    probas[rows] = here
    return probas, others + expected_counts(votes, here, ballot.answers)
