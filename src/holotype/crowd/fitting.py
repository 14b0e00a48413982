"""A simulated crowd like the one that voted: three kinds of images, fitted to the votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.crowd.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.crowd.campaign import Tally
from holotype.crowd.confusion import Fitted, Gold, maximise, normalised
from holotype.crowd.port import Answer
from holotype.crowd.simulated import Difficulty, Population, SimulatedWorker

BAD, HARD, GOOD = range(3)
START: Final = np.array([(0.93, 0.48, 0.25), (0.03, 0.05, 0.04), (0.04, 0.47, 0.71)])
"""Chances of no, unsure and yes on bad, hard and good images, ``(answers, kinds)``, before any vote."""
SHARES: Final = np.array([0.6, 0.1, 0.3])
"""Shares of bad, hard and good images, likewise."""
STRENGTH: Final = np.array([40.0, 300.0, 40.0])
"""How many votes `START` weighs: more for hard images, which few votes tell from good ones that were overlooked."""


@dataclass(frozen=True, slots=True)
class History:
    """A campaign so far: its votes, the wnid of each of the ballot's synsets, ``(synsets,)``, the seconds each vote
    took and when it was cast in Unix time, ``(votes,)``."""

    ballot: Ballot
    wnids: Sequence[str]
    seconds: Floats
    at: Floats

    @classmethod
    def of(cls, tally: Tally) -> History:
        """That of a campaign's tally."""
        return cls(
            tally.ballot(),
            list(dict.fromkeys(task.wnid for task in tally.tasks)),
            np.array([vote.seconds for vote in tally.votes], np.float64),
            np.array([vote.at for vote in tally.votes], np.float64),
        )

    @property
    def votes_per_hour(self) -> float | None:
        """How fast votes came in, from the first to the last; None where no time has passed between them."""
        span = np.ptp(self.at) if len(self.at) else 0.0
        return float(3600 * len(self.at) / span) if span > 0 else None


@dataclass(frozen=True, slots=True)
class Weights:
    """How many votes the crowd's habits weigh against a `worker`'s or synset's (`difficulty`) own, and how many images
    the shares of all against a synset's (`share`)."""

    worker: float = 20.0
    difficulty: float = 100.0
    share: float = 20.0


@dataclass(frozen=True, slots=True)
class Kinds:
    """Chances of each answer on bad, hard and good images, ``(answers, kinds)``, and their shares, ``(kinds,)``."""

    chances: Floats
    shares: Floats

    @property
    def yes(self) -> Floats:
        """Chance of yes on each kind where not unsure, ``(kinds,)``."""
        return _of_decided(self.chances)


def patterns_of(ballot: Ballot) -> tuple[Floats, Ints]:
    """The distinct counts of answers, ``(patterns, answers)``, and how many images had each, ``(patterns,)``.

    Gold tasks and those without votes do not count.
    """
    return np.unique(_counts(ballot)[_drawn_by_chance(ballot)], axis=0, return_counts=True)


def fit_kinds(patterns: Floats, images: Ints, rounds: int = 3000) -> Kinds:
    """A mixture of three kinds of images fitted to `patterns_of` a ballot.

    Expectation maximisation as if all workers were one, drawn to `START` and `SHARES`. Since votes on an image come
    from workers met by chance, it finds the mean worker; a model with a confusion matrix per worker, fitted to few
    votes, explains away the hard images.
    """
    chances, shares = START, SHARES
    for _ in range(rounds):
        probas = normalised(patterns @ np.log(chances) + np.log(shares)) * images[:, None]
        chances = patterns.T @ probas + STRENGTH * START
        chances /= chances.sum(axis=0)
        before, shares = shares, (probas.sum(axis=0) + SHARES) / (images.sum() + 1)
        if np.abs(shares - before).max() < 1e-7:
            break
    return Kinds(chances, shares)


def shares_by_synset(ballot: Ballot, kinds: Kinds, weight: float) -> Floats:
    """Shares of bad, hard and good images in every synset, ``(synsets, 3)``, drawn to those of all by `weight` images.

    Gold tasks and those without votes do not count.
    """
    of = _drawn_by_chance(ballot)
    evidence, synset = _counts(ballot)[of] @ np.log(kinds.chances), ballot.synset[of]
    shares = np.broadcast_to(kinds.shares, (ballot.synsets, 3))
    for _ in range(50):
        probas = normalised(evidence + np.log(shares)[synset])
        sums = np.stack([np.bincount(synset, kind, ballot.synsets) for kind in probas.T], axis=1)
        shares = sums + weight * kinds.shares
        shares /= shares.sum(axis=1, keepdims=True)
    return shares


def _counts(ballot: Ballot) -> Floats:
    return ballot.counts().astype(np.float64)


def _drawn_by_chance(ballot: Ballot) -> Ints:
    voted = ballot.votes_per_task > 0
    return np.flatnonzero(voted if ballot.known is None else voted & (ballot.known == UNKNOWN))


class _Workers:
    """A maximisation step for the workers alone: each drawn to all, and on hard images alike."""

    discount = 1.0

    def __init__(self, chances: Floats, offset: Floats, weight: float) -> None:
        self._chances, self._offset, self._weight = chances, offset, weight

    def confusion(self, counts: Floats) -> Floats:
        """Each worker's, drawn to the crowd's."""
        drawn = counts + self._weight * self._chances
        drawn[:, :, HARD] = self._chances[:, HARD]
        return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))

    def offset(self, _: Floats) -> Floats:
        """Shares as they are known."""
        return self._offset


def fit_population(history: History, weights: Weights = Weights()) -> Population:
    """The population whose votes look like those there are; its profiles are the ballot's workers, in order.

    The crowd as a whole and the shares of hard and of good images come from `fit_kinds`; then each worker's
    sensitivity, specificity and unsure, by Dawid and Skene's model (1979) with three classes, drawn to the crowd's;
    their speed is the median of their seconds. A synset's difficulty compares its votes with what its workers' habits
    foretell. Votes cannot tell how many of the hard images are good: as many as of the others is assumed. Two votes on
    an image have many explanations; five settle it.

    Without votes it is the default population.
    """
    ballot = history.ballot
    if not len(ballot.task):
        return Population()
    kinds = fit_kinds(*patterns_of(ballot))
    shares = shares_by_synset(ballot, kinds, weights.share)
    start = normalised(_counts(ballot) @ np.log(kinds.chances) + np.log(shares)[ballot.synset])
    gold = None if ballot.known is None else Gold(np.where(ballot.known == 1, GOOD, ballot.known))
    if gold is not None:
        gold.impose(start)
    workers = _Workers(kinds.chances, np.log(shares)[ballot.synset], weights.worker)
    found = maximise(ballot.incidence(), start, workers, ballot.answers, gold=gold)
    overall = _difficulty(kinds.yes, kinds.shares)
    own = _by_synset(ballot, found, kinds.chances, weights.difficulty)
    return Population(
        workers=max(ballot.workers, Population().workers),
        sensitivity=overall.sensitivity,
        specificity=overall.specificity,
        base_rate=overall.base_rate,
        hard=overall.hard,
        guess=overall.guess,
        profiles=_profiles(ballot, found.confusion, history.seconds),
        synsets={wnid: _difficulty(yes, share) for wnid, yes, share in zip(history.wnids, own, shares, strict=True)},
    )


def _of_decided(chances: Floats) -> Floats:
    """Chances, or counts, of answers ``(..., answers, kinds)`` to those of yes where not unsure, ``(..., kinds)``."""
    yes, no = chances[..., Answer.YES, :], chances[..., Answer.NO, :]
    return np.asarray(yes / (yes + no))


def _difficulty(yes: Floats, shares: Floats) -> Difficulty:
    return Difficulty(
        base_rate=float(shares[GOOD] / (shares[GOOD] + shares[BAD])),
        sensitivity=float(yes[GOOD]),
        specificity=float(1 - yes[BAD]),
        hard=float(shares[HARD]),
        guess=float(yes[HARD]),
    )


def _by_synset(ballot: Ballot, found: Fitted, population: Floats, weight: float) -> Floats:
    """Chances of yes in every synset, ``(synsets, kinds)``: how its votes differ from what its workers do elsewhere."""
    given = np.empty((ballot.synsets, *population.shape))
    foretold = np.empty_like(given)
    synset = ballot.synset[ballot.task]
    for answer, kind in np.ndindex(population.shape):
        weights = found.probas[ballot.task, kind]
        given[:, answer, kind] = np.bincount(synset, weights * (ballot.answer == answer), ballot.synsets)
        expected = weights * found.confusion[ballot.worker, answer, kind]
        foretold[:, answer, kind] = np.bincount(synset, expected, ballot.synsets)
    drawn, usual = (_of_decided(counts + weight * population) for counts in (given, foretold))
    odds = drawn / (1 - drawn) * (1 - usual) / usual
    overall = _of_decided(population)
    shifted = overall / (1 - overall) * odds
    yes: Floats = shifted / (1 + shifted)
    yes[:, HARD] = overall[HARD]
    return yes


def _profiles(ballot: Ballot, confusion: Floats, seconds: Floats) -> tuple[SimulatedWorker, ...]:
    yes, unsure = _of_decided(confusion), confusion[:, Answer.UNSURE]
    order = np.lexsort((seconds, ballot.worker))
    votes = np.bincount(ballot.worker, minlength=ballot.workers)
    middle = np.minimum(np.cumsum(votes) - votes + votes // 2, len(order) - 1)
    speed = np.where(votes > 0, seconds[order][middle], np.median(seconds))
    return tuple(
        SimulatedWorker(
            f"fitted-{number:03d}",
            float(yes[number, GOOD]),
            float(1 - yes[number, BAD]),
            (float(unsure[number, BAD]), float(unsure[number, HARD]), float(unsure[number, GOOD])),
            float(speed[number]),
            float(votes[number]),
        )
        for number in range(ballot.workers)
    )
