"""Expectation maximisation over workers' confusion matrices: the engine of every model here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from holotype.consensus.ballot import UNKNOWN, Floats, Ints

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

LEAST: Final = 1e-10
"""The least probability, as in Crowd-Kit: nothing is impossible."""


class Model(Protocol):
    """What tells one model from another: its maximisation step."""

    def confusion(self, counts: Floats) -> Floats:
        """Chances of each answer, ``(workers, answers, classes)``, from expected counts of the same shape."""

    def offset(self, probas: Floats) -> Floats:
        """What speaks for each class beside the votes' workers, in logs, ``(tasks or 1, classes)``."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When expectation maximisation stops: after `rounds`, or when it has settled.

    Settled is when no probability moves by `tolerance`; with `bound`, when the evidence lower bound per vote gains less
    (Crowd-Kit's rule, by which labels equal Crowd-Kit's).
    """

    rounds: int = 200
    tolerance: float = 1e-5
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """Probabilities ``(tasks, classes)``, chances of answers ``(workers, answers, classes)``, rounds taken."""

    probas: Floats
    confusion: Floats
    rounds: int


@dataclass(frozen=True, slots=True)
class Gold:
    """True classes of some tasks, `UNKNOWN` elsewhere.

    Where a model has several kinds of image to a class, kind k is of class ``k % classes``; 0 is a kind to each class.
    """

    known: Ints
    classes: int = 0

    @classmethod
    def of(cls, known: Ints | None, classes: int = 0) -> Gold | None:
        """That of a ballot's `known`; None without any."""
        return None if known is None else cls(known, classes)

    def impose(self, probas: Floats) -> None:
        """Take all probability of known tasks to the kinds of their class."""
        rows = np.flatnonzero(self.known != UNKNOWN)
        kinds = np.arange(probas.shape[1]) % (self.classes or probas.shape[1])
        held = np.where(kinds == self.known[rows, None], np.maximum(probas[rows], LEAST), 0.0)
        probas[rows] = held / held.sum(axis=1, keepdims=True)


def log_odds(probability: Floats) -> Floats:
    """Logs of the odds, of probabilities a trillionth away from 0 and 1."""
    inside = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inside / (1 - inside)))


def normalised(scores: Floats) -> Floats:
    """Logs to probabilities, row by row, in place."""
    scores -= _of_rows(np.maximum, scores)
    np.exp(scores, out=scores)
    scores /= _of_rows(np.add, scores)
    return scores


def _of_rows(what: np.ufunc, values: Floats) -> Floats:
    """A reduction of each row, ``(rows, 1)``; numpy's own is slow where rows are short."""
    if not 1 <= values.shape[1] <= 16:
        initial = -np.inf if what is np.maximum else 0.0
        return np.asarray(what.reduce(values, axis=1, keepdims=True, initial=initial))
    found = values[:, 0].copy()
    for column in range(1, values.shape[1]):
        what(found, values[:, column], out=found)
    return found[:, None]


def expected_counts(votes: csr_array, probas: Floats, answers: int) -> Floats:
    """How often each worker gave each answer on each class, ``(workers, answers, classes)``."""
    return _counts(votes.T, probas, answers)


def _counts(cells: csc_array, probas: Floats, answers: int) -> Floats:
    """`expected_counts` of transposed votes: transposing takes longer than counting the votes of a small ballot."""
    workers = cells.shape[0] // answers if answers else 0
    return np.asarray(cells @ probas).reshape(workers, answers, probas.shape[1])


def evidence(votes: csr_array, confusion: Floats) -> Floats:
    """Log likelihood of each task's votes under each class, ``(tasks, classes)``."""
    table = np.log(np.maximum(confusion, LEAST))
    return np.asarray(votes @ table.reshape(votes.shape[1], confusion.shape[2]))


def _most_moved(now: Floats, before: Floats) -> float:
    """The largest difference; `before` is overwritten."""
    np.subtract(now, before, out=before)
    return float(np.abs(before, out=before).max(initial=0))


def maximise(
    votes: csr_array,
    start: Floats,
    model: Model,
    answers: int,
    schedule: Schedule = Schedule(),
    gold: Gold | None = None,
) -> Fitted:
    """Alternate maximisation and expectation from `start` ``(tasks, classes)`` until `schedule` says stop.

    `start` is used up: what it holds afterwards means nothing.
    Dawid and Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm" (1979).
    """
    probas, before, last = start, start, -np.inf
    per_task, cells = np.diff(votes.indptr)[:, None], votes.T
    for done in range(schedule.rounds + 1):
        confusion = model.confusion(_counts(cells, probas, answers))
        scores = evidence(votes, confusion)
        offset = model.offset(probas)
        if done and schedule.bound:
            entropy = -np.sum(probas * np.log(np.maximum(probas, LEAST)))
            bound = (np.sum(probas * scores) + np.sum(probas * (per_task * offset)) + entropy) / max(votes.nnz, 1)
            if bound - last < schedule.tolerance:
                break
            last = bound
        elif done and _most_moved(probas, before) < schedule.tolerance:
            break
        if done == schedule.rounds:
            break
        before = probas
        scores += offset
        probas = normalised(scores)
        if gold is not None:
            gold.impose(probas)
    return Fitted(probas, confusion, done)
