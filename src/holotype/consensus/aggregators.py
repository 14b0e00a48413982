"""Aggregators under one contract, with the conventions of Crowd-Kit.

A table of votes has the columns ``task``, ``worker`` and ``label``. ``fit``, ``fit_predict`` and ``fit_predict_proba``
read one; then ``labels_``, ``probas_``, ``priors_`` and ``errors_`` are there in its own library: pandas (indexed as
Crowd-Kit's), polars, Arrow or numpy (a mapping of columns). ``result_`` holds the same as plain arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from holotype.consensus.axes import Axes
from holotype.consensus.ballot import Ballot, Floats
from holotype.consensus.beliefs import Fit
from holotype.consensus.confidence import SEED_VOTES, look_up
from holotype.consensus.em import LEAST, Gold, Model, Schedule, expected_counts, maximise
from holotype.consensus.incremental import Running, add_votes, joined
from holotype.consensus.posteriors import SCHEDULE, Fits, average, fit_all, posterior_of
from holotype.consensus.tables import VoteTable, frame, read_votes, series
from holotype.consensus.truth import Truth
from holotype.consensus.two_coin import Priors, TwoCoinModel
from holotype.consensus.votes import Answer
from holotype.errors import CrowdError

EXTRA: Final = ("synset", "prior")
MOST_CELLS: Final = 200_000_000
"""Chances of answers, over all workers, that a model may learn: 1.6 GB of them."""
CROWD_KIT: Final = Schedule(rounds=100, tolerance=1e-5, bound=True)


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What every aggregator finds.

    `probas` ``(tasks, classes)``; `errors` ``(workers, answers, classes)``, the chance that a worker gives an answer
    where the class is true; `priors` ``(classes,)``. `tasks`, `workers`, `classes` and `answers` name the axes; the
    answers are the classes and, where it is used, unsure. `rounds` counts expectation steps.
    """

    tasks: pa.Array
    workers: pa.Array
    classes: pa.Array
    answers: pa.Array
    probas: Floats
    errors: Floats
    priors: Floats
    rounds: int

    @property
    def labels(self) -> pa.Array:
        """The most probable class of each task; of equals the first in order."""
        return labels(self.probas, self.classes)


def labels(probas: Floats, classes: pa.Array) -> pa.Array:
    """The most probable class of each row; of equals the first in order; null where there are no classes."""
    return classes.take(pa.array(probas.argmax(axis=1))) if len(classes) else pa.nulls(len(probas), classes.type)


def _means(probas: Floats) -> Floats:
    return np.asarray(probas.sum(axis=0) / max(len(probas), 1))


@dataclass(frozen=True, slots=True)
class _Found:
    """Probabilities ``(tasks, classes)``; chances of answers, None where nothing was learned about workers; rounds."""

    probas: Floats
    confusion: Floats | None = None
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class _State:
    """A fit: the axes, the votes, what was found, and, once votes were added, the model they are added to."""

    axes: Axes
    ballot: Ballot
    found: _Found
    running: Running | None = None


class Aggregator:
    """The contract. `unsure` is a label that is an answer but not a class; it abstains where a model cannot use it.

    `classes` names classes, in order, that no vote may have; classes that only votes have follow, sorted. Bad input has
    one outcome everywhere: missing columns, empty cells and mixed types are a `CrowdError`, and so are rows that
    disagree on their task's ``synset`` or ``prior``; of a worker's several votes on a task the first counts; an empty
    table gives empty results; a task with nothing but unsure has equal chances, or the prior's, and its label is null
    where no class is known.
    """

    uses_unsure = False
    schedule = CROWD_KIT

    def __init__(self, *, unsure: Any = None, classes: tuple[Any, ...] = ()) -> None:
        self.unsure, self.classes = unsure, classes
        self._state: _State | None = None

    def fit(self, data: Any, true_labels: Mapping[Any, Any] | None = None) -> Self:
        """Aggregate the votes of `data`; `true_labels` (a mapping or pandas Series by task) are taken as known.

        Raises `CrowdError` for a table that is not one of votes, and for a true label that is empty, that is a class of
        neither the votes nor `classes`, or that is one of several of its task.
        """
        return self._fit(read_votes(data, EXTRA), Truth.read(true_labels))

    def _fit(self, table: VoteTable, truth: Truth) -> Self:
        axes = Axes.of(table, self.unsure, self.classes, truth)
        self._state = self._anew(axes, axes.ballot(table))
        return self

    def partial_fit(self, data: Any) -> Self:
        """Add the votes of `data` to what was fitted; new tasks and workers join.

        Raises `CrowdError` for new labels, unless all old ones are unsure, and for another synset or prior of a task.

        See `holotype.consensus.incremental.add_votes`: only what the new votes can change moves, with a full pass
        whenever votes grew by a tenth. Aggregators that only count do so anew.
        """
        if self._state is None:
            return self.fit(data)
        table, old = read_votes(data, EXTRA), self._state
        if not len(old.axes.tasks):
            return self._fit(table, old.axes.truth)
        axes, new = old.axes.extended(table, old.ballot)
        if len(old.axes.classes):
            self._state = self._add(old, axes, joined(old.ballot, new))
        else:
            unsure = replace(old.ballot, answer=np.full_like(old.ballot.answer, len(axes.classes)))
            self._state = self._anew(axes, joined(unsure, new))
        return self

    def fit_predict(self, data: Any, true_labels: Mapping[Any, Any] | None = None) -> Any:
        """`fit`, then ``labels_``."""
        return self.fit(data, true_labels).labels_

    def fit_predict_proba(self, data: Any, true_labels: Mapping[Any, Any] | None = None) -> Any:
        """`fit`, then ``probas_``."""
        return self.fit(data, true_labels).probas_

    @property
    def result_(self) -> Aggregation:
        """Everything found, as arrays. Raises `CrowdError` before `fit`."""
        state, axes, found = self._fitted, self._fitted.axes, self._fitted.found
        answers = axes.answers if self.uses_unsure else axes.classes
        errors = found.confusion
        if errors is None:
            ballot = self._heard(state.ballot, axes)
            check_cells(ballot, len(axes.classes))
            errors = _Plain().confusion(expected_counts(ballot.incidence(), found.probas, ballot.answers))
        errors = errors.reshape(len(axes.workers), len(answers), len(axes.classes))  # no answers, no shape
        return Aggregation(
            axes.tasks, axes.workers, axes.classes, answers, found.probas, errors, _means(found.probas), found.rounds
        )

    @property
    def labels_(self) -> Any:
        """The most probable class of every task."""
        axes = self._fitted.axes
        return series(self._library, ("task", axes.tasks), "agg_label", labels(self._fitted.found.probas, axes.classes))

    @property
    def probas_(self) -> Any:
        """The probability of every class, a row per task."""
        axes = self._fitted.axes
        return frame(self._library, [("task", axes.tasks)], axes.classes, self._fitted.found.probas)

    @property
    def priors_(self) -> Any:
        """The share of every class."""
        return series(self._library, ("label", self._fitted.axes.classes), "prior", _means(self._fitted.found.probas))

    @property
    def errors_(self) -> Any:
        """A row per worker and answer, a column per true class."""
        found = self.result_
        workers, answers = len(found.workers), len(found.answers)
        index = [
            ("worker", found.workers.take(pa.array(np.repeat(np.arange(workers), answers)))),
            ("label", found.answers.take(pa.array(np.tile(np.arange(answers), workers)))),
        ]
        return frame(self._library, index, found.classes, found.errors.reshape(workers * answers, len(found.classes)))

    @property
    def _fitted(self) -> _State:
        if self._state is None:
            raise CrowdError("nothing is fitted yet: call fit with a table of votes first")
        return self._state

    @property
    def _library(self) -> str:
        return self._fitted.axes.library

    def _model(self, ballot: Ballot, classes: int) -> Model:
        """The model whose maximisation alternates with expectation."""
        raise NotImplementedError

    def _heard(self, ballot: Ballot, axes: Axes) -> Ballot:
        """The votes the model uses: without unsure, if it cannot."""
        if self.uses_unsure or len(axes.answers) == len(axes.classes):
            return ballot
        answers = len(axes.classes)
        return replace(ballot.keep(ballot.answer < answers), answers=answers)

    def _anew(self, axes: Axes, ballot: Ballot) -> _State:
        """The state fitted to all of `ballot`."""
        return _State(axes, ballot, self._solve(self._heard(ballot, axes), len(axes.classes)))

    def _solve(self, ballot: Ballot, classes: int) -> _Found:
        check_cells(ballot, classes)
        gold = Gold.of(ballot.known)
        start = self._start(ballot, classes)
        if gold is not None:
            gold.impose(start)
        model = self._model(ballot, classes)
        found = maximise(ballot.incidence(), start, model, ballot.answers, self.schedule, gold)
        return _Found(found.probas, found.confusion, found.rounds)

    def _add(self, old: _State, axes: Axes, ballot: Ballot) -> _State:
        """The state with all of `ballot`, whose first votes are the old ones."""
        running = old.running
        if running is None:
            before = self._heard(old.ballot, axes)
            running = Running.begin(before, old.found.probas)
        heard = self._heard(ballot, axes)
        model = self._model(heard, len(axes.classes))
        running, found = add_votes(running, heard, model, self.schedule)
        return _State(axes, ballot, _Found(found.probas, found.confusion, found.rounds), running)

    def _start(self, ballot: Ballot, classes: int) -> Floats:
        return shares(ballot, classes)


def shares(ballot: Ballot, classes: int, weight: Floats | None = None) -> Floats:
    """Each class's share of a task's votes, ``(tasks, classes)``; equal where there is none.

    `weight` ``(workers,)`` is what a vote of each worker counts.
    """
    if not classes:
        return np.zeros((ballot.tasks, 0))
    if weight is None:
        sums: Floats = ballot.counts()[:, :classes].astype(np.float64)
    else:
        voting = ballot.keep(ballot.answer < classes)
        cells = voting.task.astype(np.int64) * classes + voting.answer
        heard = np.bincount(cells, weight[voting.worker], minlength=ballot.tasks * classes)
        sums = np.asarray(heard, np.float64).reshape(-1, classes)
    total = sums.sum(axis=1, keepdims=True)
    equal: Floats = np.full_like(sums, 1 / classes)
    np.divide(sums, total, out=equal, where=total > 0)
    return equal


class _Plain:
    """Maximum likelihood confusion matrices and shares of classes."""

    def confusion(self, counts: Floats) -> Floats:
        """Counts to chances."""
        counts = np.maximum(counts, LEAST)
        chances: Floats = counts / counts.sum(axis=1, keepdims=True)
        return chances

    def offset(self, probas: Floats) -> Floats:
        """Logs of the classes' shares."""
        return log_shares(probas)


def log_shares(probas: Floats) -> Floats:
    """Logs of the mean of each column, ``(1, classes)``."""
    if not len(probas):
        return np.zeros((1, probas.shape[1]))
    return np.asarray(np.log(np.maximum(probas.mean(axis=0), LEAST)))[None]


class DawidSkene(Aggregator):
    """Dawid and Skene (1979), any number of classes: a confusion matrix per worker by maximum likelihood, no priors.

    Labels equal Crowd-Kit's `DawidSkene`.
    """

    uses_unsure = True

    def _model(self, ballot: Ballot, classes: int) -> Model:
        return _Plain()


class _OneCoinModel(_Plain):
    """One accuracy per worker."""

    def confusion(self, counts: Floats) -> Floats:
        """The worker's accuracy on the diagonal, the rest shared equally."""
        classes = counts.shape[2]
        accuracy = np.einsum("waa->w", counts) / np.maximum(counts.sum(axis=(1, 2)), LEAST)
        wrong = (1 - accuracy) / max(classes - 1, 1)
        chances = np.broadcast_to(wrong[:, None, None], counts.shape).copy()
        chances[:, range(classes), range(classes)] = accuracy[:, None]
        return np.asarray(np.clip(chances, LEAST, 1 - LEAST))


class OneCoin(Aggregator):
    """Dawid-Skene with one accuracy per worker (Zhang et al., JMLR 2016); unsure abstains.

    For comparison only: where errors on yes and no differ, as in verifying images, it calls everything no.
    """

    def _model(self, ballot: Ballot, classes: int) -> Model:
        return _OneCoinModel()


class MajorityVote(Aggregator):
    """The class most workers chose; unsure abstains, and of equals the first in order wins, so a tie is no."""

    def _solve(self, ballot: Ballot, classes: int) -> _Found:
        return counted(ballot, self._shares(ballot, classes))

    def _add(self, old: _State, axes: Axes, ballot: Ballot) -> _State:
        return self._anew(axes, ballot)

    def _shares(self, ballot: Ballot, classes: int) -> Floats:
        return shares(ballot, classes)


class Wawa(MajorityVote):
    """Worker agreement with aggregate: a second majority vote in which each worker weighs as often as they agreed with
    the first."""

    def _shares(self, ballot: Ballot, classes: int) -> Floats:
        if not classes:
            return shares(ballot, classes)
        first = shares(ballot, classes).argmax(axis=1)
        agreed = np.bincount(ballot.worker, ballot.answer == first[ballot.task], minlength=ballot.workers)
        return shares(ballot, classes, agreed / np.maximum(np.bincount(ballot.worker, minlength=ballot.workers), 1))


def counted(ballot: Ballot, probas: Floats) -> _Found:
    """Probabilities, gold imposed; the confusion matrices that follow from them are left to be asked for."""
    gold = Gold.of(ballot.known)
    if gold is not None:
        gold.impose(probas)
    return _Found(probas)


def check_cells(ballot: Ballot, classes: int) -> None:
    """Raise `CrowdError` where confusion matrices would not fit in memory."""
    cells = ballot.workers * ballot.answers * classes
    if cells > MOST_CELLS:
        raise CrowdError(
            f"{ballot.workers:,} workers with {ballot.answers:,} answers and {classes:,} classes have {cells:,} "
            f"chances, more than the {MOST_CELLS:,} that can be learned; MajorityVote needs none"
        )


class TableVote(MajorityVote):
    """The confidence table of ImageNet (Deng et al. 2009), learned from the tasks with ten votes or more, decides all.

    Two classes, the first of them no; unsure abstains. A column ``synset`` gives each a table of its own. Without a
    seed the table is that of independent votes at `holotype.consensus.confidence.RATES`. Raises `CrowdError` for more
    classes.
    """

    def _shares(self, ballot: Ballot, classes: int) -> Floats:
        check_two(classes, "a confidence table")
        if classes < 2:
            return shares(ballot, classes)
        no, yes = ballot.counts().T
        confidence = look_up(yes, no, ballot.synset, ballot.synsets, yes + no >= SEED_VOTES)
        return np.stack([1 - confidence, confidence], axis=1)


def check_two(classes: int, what: str) -> None:
    """Raise `CrowdError` for more than two classes."""
    if classes > 2:
        raise CrowdError(f"{what} decides between two classes, not {classes}; name an unsure answer, or use DawidSkene")


@dataclass(frozen=True, slots=True)
class _FoundTwoCoin(_Found):
    """The models that two-coin's averages come from."""

    fits: Fits | None = None


class TwoCoin(Aggregator):
    """The default: two-coin models averaged, of `holotype.consensus.posteriors.fit`; two classes, the first of them no.

    A column ``synset`` gives each its own base rate, a column ``prior`` a chance of yes before any vote; `priors` is
    one belief to use instead of those that the votes bear out. Raises `CrowdError` for more than two classes.
    """

    uses_unsure = True

    def __init__(self, *, unsure: Any = None, classes: tuple[Any, ...] = (), priors: Priors | None = None) -> None:
        super().__init__(unsure=unsure, classes=classes)
        self.priors = priors

    def _solve(self, ballot: Ballot, classes: int) -> _Found:
        check_two(classes, "two-coin")
        if classes < 2:
            return counted(ballot, shares(ballot, classes))
        check_cells(ballot, classes)
        fits = fit_all(_answered(ballot), self.priors)
        found = average(fits)
        confusion = found.confusion.swapaxes(1, 2)
        return _FoundTwoCoin(_two(found.posterior), _named(confusion, ballot), found.rounds, fits)

    def _add(self, old: _State, axes: Axes, ballot: Ballot) -> _State:
        fits = old.found.fits if isinstance(old.found, _FoundTwoCoin) else None
        if fits is None or fits.cliques or len(ballot.task) <= FEW_VOTES:
            return self._anew(axes, ballot)
        fitted, heard = fits.fits[0][0], _answered(ballot)
        running = old.running
        if running is None:
            before = fits.ballot
            running = Running.begin(before, fitted.found.probas)
        model = TwoCoinModel(heard, fitted.model.priors)
        model.take_up(fitted.model.workers)
        running, found = add_votes(running, heard, model, SCHEDULE, classes=2)
        fits = Fits(heard, ((Fit(found, model), 1.0),), ())
        posterior = posterior_of(heard, fits.fits[0][0].yes, model.before)
        named = _FoundTwoCoin(_two(posterior), _named(model.workers, ballot), found.rounds, fits)
        return _State(axes, ballot, named, running)


FEW_VOTES: Final = 20_000
"""Votes up to which two-coin is fitted anew when some are added."""

_ORDER: Final = (Answer.NO, Answer.YES, Answer.UNSURE)
"""What the answers of a table's ballot are to two-coin."""


def _answered(ballot: Ballot) -> Ballot:
    """The ballot with a crowd's answers for those of a table."""
    return replace(ballot, answer=np.array(_ORDER, np.int8)[ballot.answer], answers=len(Answer))


def _named(confusion: Floats, ballot: Ballot) -> Floats:
    """Chances of a crowd's answers, ``(workers, 3, 2)``, as those of a table's."""
    chances = confusion[:, _ORDER[: ballot.answers]]
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _two(yes: Floats) -> Floats:
    return np.stack([1 - yes, yes], axis=1)
