"""Which belief about a crowd its votes bear out: each is judged by how well it foretells votes it has not seen.

How unequal workers are, how strict they are and whether some images are hard cannot be set once for all: a weight that
is right for strangers is ruinous for spammers. So the votes choose, and where they do not, several beliefs share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.em import LEAST, Fitted, Gold, Schedule, evidence, log_odds, maximise
from holotype.consensus.two_coin import PLAIN, Priors, TwoCoinModel

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LADDER: Final = (1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)
"""Weights of the population in a worker, from each their own to all alike."""

CROWDS: Final = {(0.67, 0.06): 0.0, (0.8, 0.2): -3.0, (0.9, 0.5): -3.0}
"""Sensitivity and false yes of crowds to begin with, careful, even and lax, and the log chance of each."""

STARTS: Final = (0.3, 0.9)
"""Base rates to start from."""

SLIPS: Final = (0.1, 0.2, 0.3)

LAZY: Final = 330.0
"""How much less likely, in logs, it is that all votes say nothing of the images than that half do: where part of a
crowd answers yes to everything and the others mostly no, either may be the lazy ones, but not the larger."""

FOLDS: Final = 5
QUICK_FOLDS: Final = 2
"""Folds by which beliefs are searched; those that come near the best are judged by all `FOLDS`."""

NEAR: Final = 12.0
"""How much less likely than the best, in logs, a belief may be after the search and still be judged by all folds."""

MOST_COMPARED: Final = 30_000
"""Votes by which beliefs are compared; of more, those on tasks drawn at random. A third where there are more than
`MANY_WORKERS`, each of whom has chances of their own to be fitted."""
MANY_WORKERS: Final = 5_000

RESAMPLES: Final = 200
BLOCKS: Final = 200
"""Sets of votes that the bootstrap weighs as one."""

LEAST_SHARE: Final = 0.02
"""Beliefs with a smaller share are left out."""

_QUICK: Final = Schedule(rounds=50, tolerance=3e-3)

Shares = tuple[tuple[Priors, float], ...]
"""Beliefs and the share of each, which add up to 1."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One belief fitted: what `maximise` found and the model it found it with."""

    found: Fitted
    model: TwoCoinModel

    @property
    def yes(self) -> Floats:
        """The probability of yes, ``(tasks,)``."""
        return np.asarray(self.found.probas[:, 1::2].sum(axis=1))

    def as_kinds(self, kinds: int) -> Floats:
        """Probabilities for a model of so many kinds of image, ``(tasks, kinds)``."""
        probas = self.found.probas
        if probas.shape[1] == kinds:
            return probas.copy()
        if kinds == PLAIN:
            return probas[:, :PLAIN] + probas[:, PLAIN:]
        return np.concatenate([(1 - Priors().hard) * probas, Priors().hard * probas], axis=1)

    @property
    def evidence(self) -> Floats:
        """How much likelier the votes are on a good image than on a bad one, in logs, ``(tasks,)``."""
        return log_odds(self.yes) - log_odds(self.model.before)


def fit_belief(ballot: Ballot, priors: Priors, schedule: Schedule, near: Fit | None = None) -> Fit:
    """The model of one belief fitted to a ballot's votes, from where a near fit ended.

    Without one it starts twice, as if few images were good and as if most were, and the likelier end is kept: where
    hardly any image is good, or bad, each may be an end of its own.
    """
    votes = ballot.incidence()
    if near is not None:
        return _fit(ballot, votes, priors, schedule, near)
    ends = [_fit(ballot, votes, priors, schedule, rate) for rate in STARTS]
    return max(ends, key=lambda end: end.model.log_chance(evidence(votes, end.found.confusion)))


def _fit(ballot: Ballot, votes: csr_array, priors: Priors, schedule: Schedule, near: Fit | float) -> Fit:
    model = TwoCoinModel(ballot, priors)
    if isinstance(near, Fit):
        model.take_up(near.model.workers)
        start = near.as_kinds(priors.kinds) if len(near.found.probas) == ballot.tasks else model.with_workers(votes)
    else:
        start = model.first(near)
    gold = Gold.of(ballot.known, classes=PLAIN)
    if gold is not None:
        gold.impose(start)
    return Fit(maximise(votes, start, model, ballot.answers, schedule, gold), model)


Chosen = tuple[tuple[Priors, float, Fit | None], ...]
"""Beliefs, the share of each, and a fit that is near."""


def choose_beliefs(ballot: Ballot, seed: int = 0) -> Chosen:
    """The beliefs that the votes bear out, the share of each, and a fit that is near.

    Each is fitted without a fold of the votes and judged by the log chance it gives to those left out, to which the
    log chance of the belief itself is added (`log_prior`). From every crowd in `CROWDS`, with unequal and with like
    workers, the search climbs to the neighbours that foretell best. A belief's share is how often it is best when the
    votes are drawn again (Bayesian bootstrap, so that a lead by chance decides little): stacking by pseudo-BMA+, Yao et
    al., "Using Stacking to Average Bayesian Predictive Distributions", Bayesian Analysis 13 (2018), section 3.4.

    Deterministic: `seed` draws folds and weights.
    """
    rng = np.random.default_rng(seed)
    return choose_by(*_sample(ballot, rng), rng)


def choose_by(chosen: Ballot, workers: Ints, everybody: int, rng: np.random.Generator) -> Chosen:
    """`choose_beliefs` by the votes of a sample, whose `workers` ``(workers,)`` have these numbers among everybody."""
    if not len(chosen.task):
        return ((Priors(), 1.0, None),)
    court = _Court(chosen, _folds(chosen, rng))
    _search(chosen, court)
    best = max(map(court.total, court.judged))
    near = [priors for priors in court.judged if court.total(priors) > best - NEAR]
    rest = range(QUICK_FOLDS, FOLDS)
    whole = {priors: np.concatenate([court.judged[priors], court.foretold(priors, rest, priors)]) for priors in near}
    shares = _shares(whole, np.array([court.chance(priors) for priors in near]), rng)
    near_fits = [court.fit_of(priors) for priors, _ in shares]
    for fit in near_fits:
        fit.model.number_workers(workers, everybody)
    return tuple((priors, share, fit) for (priors, share), fit in zip(shares, near_fits, strict=True))


def log_prior(priors: Priors) -> float:
    """The log chance of a belief, but for a constant.

    Near-ties go to workers who are alike. A crowd that says yes to half of the bad images has spammers in it, so its
    workers are unequal.
    """
    unequal = {1.0: -5.0, 3.0: -3.0, 10.0: -1.0, 1000.0: -1.0}.get(priors.worker_weight, 0.0)
    lax = -20.0 if priors.false_yes >= 0.5 and priors.worker_weight >= 10 else 0.0
    simpler = 0.0 if priors.hard else -1.0
    harder = -2.0 if np.isfinite(priors.difficulty_weight) else 0.0
    return CROWDS[priors.sensitivity, priors.false_yes] + unequal + lax + simpler + harder


class _Court:
    """Judges beliefs by what they foretell of each fold, and keeps what it found: fits start from a near belief's.

    `judged` has the log chances that every belief gave the votes of the first `QUICK_FOLDS`, ``(votes,)``.
    """

    def __init__(self, ballot: Ballot, fold: Ints) -> None:
        self.judged: dict[Priors, Floats] = {}
        self._fits: dict[tuple[Priors, int], Fit] = {}
        self._parts = [(ballot.keep(fold != number), ballot.keep(fold == number)) for number in range(FOLDS)]

    def best(self, beliefs: list[Priors], near: Priors | None = None) -> Priors:
        """The belief that foretells best; all are near to the one that is named."""
        for priors in beliefs:
            if priors not in self.judged:
                self.judged[priors] = self.foretold(priors, range(QUICK_FOLDS), near)
        return max(beliefs, key=self.total)

    def climb(self, best: Priors, neighbours: Callable[[Priors], list[Priors]]) -> Priors:
        """The belief that no neighbour foretells better than."""
        while (better := self.best([best, *neighbours(best)], best)) != best:
            best = better
        return best

    def fit_of(self, priors: Priors) -> Fit:
        """The fit of a belief to all votes but those of the first fold."""
        return self._fits[priors, 0]

    def total(self, priors: Priors) -> float:
        """The log chance of the votes and of the belief."""
        return float(self.judged[priors].sum()) + self.chance(priors)

    def chance(self, priors: Priors) -> float:
        """The log chance of the belief, and of the population and the share of useless votes found with it."""
        models = [self._fits[priors, fold].model for fold in range(QUICK_FOLDS)]
        return log_prior(priors) + float(
            np.mean([model.strain - LAZY * max(model.useless - 0.5, 0.0) for model in models])
        )

    def foretold(self, priors: Priors, folds: range, near: Priors | None = None) -> Floats:
        """The log chance that a belief fitted to the votes of the other folds gives each vote of these."""
        return np.concatenate([self._foretold(priors, number, near) for number in folds])

    def _foretold(self, priors: Priors, number: int, near: Priors | None) -> Floats:
        seen, unseen = self._parts[number]
        start = None if near is None else self._fits.get((near, number)) or self._fits[near, 0]
        fit = self._fits[priors, number] = fit_belief(seen, priors, _QUICK, start)
        chances = fit.found.confusion[unseen.worker, unseen.answer]
        return np.asarray(np.log(np.maximum((fit.found.probas[unseen.task] * chances).sum(axis=1), LEAST)))


def _search(ballot: Ballot, court: _Court) -> None:
    """Judge beliefs of every crowd, and up from the best one."""
    crowds = [court.best([_belief(crowd, weight) for weight in (3.0, 30.0)]) for crowd in CROWDS]
    best = court.best([court.climb(crowd, _as_unequal) for crowd in crowds])
    court.climb(best, lambda priors: [*_as_unequal(priors), *_as_hard(priors), *_as_different(priors, ballot)])


def _as_unequal(priors: Priors) -> list[Priors]:
    """The belief with workers a step less and a step more alike."""
    step = LADDER.index(priors.worker_weight)
    weights = [LADDER[at] for at in (step - 1, step + 1) if 0 <= at < len(LADDER)]
    return [replace(priors, worker_weight=weight, population_weight=_firmness(weight)) for weight in weights]


def _belief(crowd: tuple[float, float], worker_weight: float) -> Priors:
    return Priors(*crowd, worker_weight=worker_weight, population_weight=_firmness(worker_weight))


def _firmness(worker_weight: float) -> float:
    """The weight of what is believed of a population: workers who are alike are like workers elsewhere, too."""
    return 100.0 if worker_weight >= 10 else 40.0


def _as_hard(priors: Priors) -> list[Priors]:
    """The belief with other hard images, and with none or some."""
    if not priors.hard:
        return [replace(priors, hard=Priors().hard)]
    none = replace(priors, hard=0.0, slip=Priors().slip)
    return [none, *(replace(priors, slip=slip) for slip in SLIPS if slip != priors.slip)]


def _as_different(priors: Priors, ballot: Ballot) -> list[Priors]:
    """The belief with synsets that are as hard as each other, or each its own."""
    learned = np.isfinite(priors.difficulty_weight)
    return [replace(priors, difficulty_weight=np.inf if learned else 100.0)] if ballot.synsets > 1 else []


def _folds(ballot: Ballot, rng: np.random.Generator) -> Ints:
    """A fold for each vote, ``(votes,)``: a task's votes are on as many folds as can be."""
    busy = np.bincount(ballot.worker, minlength=ballot.workers)[ballot.worker]
    order = np.lexsort((busy, ballot.answer, ballot.task))  # so that the order votes came in matters little
    order = order[np.lexsort((rng.random(len(order)), ballot.task[order]))]
    fold = np.empty(len(order), np.int64)
    fold[order] = np.arange(len(order)) % FOLDS
    return fold


def most_compared(workers: int) -> int:
    """Votes by which beliefs about so many workers are compared."""
    return MOST_COMPARED if workers <= MANY_WORKERS else MOST_COMPARED // 3


def _sample(ballot: Ballot, rng: np.random.Generator) -> tuple[Ballot, Ints, int]:
    """The ballot, or the votes on some of its tasks, the numbers of its workers there, and how many there are."""
    most = most_compared(ballot.workers)
    if len(ballot.task) <= most:
        return ballot, np.arange(ballot.workers), ballot.workers
    order = rng.permutation(ballot.tasks)
    votes = np.cumsum(ballot.votes_per_task[order])
    return of_few(ballot.of_tasks(np.sort(order[: int(np.searchsorted(votes, most)) + 1])))


def of_few(chosen: Ballot) -> tuple[Ballot, Ints, int]:
    """A sample's votes task by task, on an axis of the workers who cast them; their numbers, and how many there are."""
    chosen = chosen.keep(np.argsort(chosen.task, kind="stable"))
    workers, worker = np.unique(chosen.worker, return_inverse=True)
    return replace(chosen, worker=worker, workers=len(workers), names=None), workers, chosen.workers


def _shares(foretold: Mapping[Priors, Floats], chance: Floats, rng: np.random.Generator) -> Shares:
    """Of beliefs that gave votes these log chances, ``(votes,)``, and have `chance` themselves, ``(beliefs,)``."""
    beliefs = list(foretold)
    chances = np.stack(list(foretold.values()))
    block = np.arange(chances.shape[1]) % BLOCKS
    sums = np.stack([np.bincount(block, row, minlength=BLOCKS) for row in chances - chances.mean(axis=0)])
    weights = rng.exponential(size=(BLOCKS, RESAMPLES))
    totals = sums @ (weights / weights.mean(axis=0)) + chance[:, None]
    won = np.exp(totals - totals.max(axis=0))
    share = (won / won.sum(axis=0)).mean(axis=1)
    share = np.where(share >= min(LEAST_SHARE, share.max()), share, 0.0)
    share /= share.sum()
    order = np.argsort(-share, kind="stable")
    return tuple((beliefs[at], float(share[at])) for at in order.tolist() if share[at] > 0)
