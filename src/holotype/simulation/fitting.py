"""A simulated crowd like the one that voted: three kinds of images, fitted to the votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.consensus.em import Gold, maximise, normalised
from holotype.consensus.joint import by_machines
from holotype.consensus.votes import Answer
from holotype.crowd.tally import Tally
from holotype.simulation.workers import Difficulty, Population, SimulatedWorker

BAD, HARD, GOOD = range(3)


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
        """That of a campaign's tally, whose votes say when they were cast; without machines, who take no time."""
        ballot = tally.ballot()
        people = ~by_machines(ballot)
        seconds, at = (column[people] for column in tally.counting.timing)
        return cls(ballot.keep(people), tally.tasks.wnids, seconds, at)

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
    """Chances of each answer on bad, hard and good images, ``(synsets, answers, kinds)``, and the kinds' shares,
    ``(synsets, kinds)``."""

    chances: Floats
    shares: Floats

    @property
    def yes(self) -> Floats:
        """Chance of yes on each kind where not unsure, ``(synsets, kinds)``."""
        yes, no = self.chances[:, Answer.YES], self.chances[:, Answer.NO]
        return np.asarray(yes / (yes + no))


START: Final = Kinds(
    np.array([[(0.93, 0.48, 0.25), (0.03, 0.05, 0.04), (0.04, 0.47, 0.71)]]), np.array([[0.6, 0.1, 0.3]])
)
"""What is believed of a crowd before any vote."""

STRENGTH: Final = np.array([40.0, 300.0, 40.0, 1.0])
"""How many votes on bad, hard and good images that weighs, and how many images: more votes on hard ones, which are not
easily told from good ones that were overlooked."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Distinct counts of answers, ``(patterns, answers)``, how many images had each and in which synset,
    ``(patterns,)``."""

    counts: Floats
    images: Ints
    synset: Ints
    synsets: int

    @classmethod
    def of(cls, ballot: Ballot, by_synset: bool) -> Patterns:
        """Those of a ballot, all synsets taken as one unless `by_synset`; gold and what has no votes is left out."""
        chosen = ballot.votes_per_task > 0
        if ballot.known is not None:
            chosen &= ballot.known == UNKNOWN
        synset = ballot.synset[chosen] if by_synset else np.zeros(int(chosen.sum()), np.int64)
        rows, images = np.unique(np.c_[synset, ballot.counts()[chosen]], axis=0, return_counts=True)
        return cls(rows[:, 1:].astype(np.float64), images, rows[:, 0], ballot.synsets if by_synset else 1)


def fit_kinds(patterns: Patterns, belief: Kinds = START, strength: Floats = STRENGTH, rounds: int = 2000) -> Kinds:
    """A mixture of three kinds of images in each synset, drawn to a `belief` as `strength` says.

    Expectation maximisation as if all workers were one. Since votes on an image come from workers met by chance, it
    finds the mean worker; a model with a confusion matrix per worker, fitted to few votes, explains away hard images.
    """
    from scipy.sparse import csr_array

    rows, (answers, kinds) = len(patterns.counts), belief.chances.shape[1:]
    place = (patterns.synset, np.arange(rows))
    sums = csr_array((patterns.images.astype(np.float64), place), shape=(patterns.synsets, rows))
    chances = np.broadcast_to(belief.chances, (patterns.synsets, answers, kinds))
    shares = np.broadcast_to(belief.shares, (patterns.synsets, kinds))
    for _ in range(rounds):
        evidence = np.einsum("pa,pak->pk", patterns.counts, np.log(chances)[patterns.synset])
        probas = normalised(evidence + np.log(shares)[patterns.synset])
        votes = sums @ (patterns.counts[:, :, None] * probas[:, None]).reshape(rows, answers * kinds)
        chances = votes.reshape(-1, answers, kinds) + strength[:kinds] * belief.chances
        chances /= chances.sum(axis=1, keepdims=True)
        before, shares = shares, sums @ probas + strength[kinds] * belief.shares
        shares /= shares.sum(axis=1, keepdims=True)
        if np.abs(shares - before).max(initial=0) < 1e-6:
            break
    return Kinds(chances, shares)


class _Workers:
    """A maximisation step for the workers alone: each drawn to all, and on hard images alike."""

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

    The crowd as a whole comes from `fit_kinds`, and so does each synset's difficulty, drawn to it, but that the coin of
    the hard images is the same in all; then each worker's sensitivity, specificity and unsure, by Dawid and Skene's
    model (1979) with three classes, drawn to the crowd's; their speed is the median of their seconds. Votes cannot tell
    how many of the hard images are good: as many as of the others is assumed. Two votes on an image have many
    explanations; five or more begin to settle it.

    Without votes it is the default population.
    """
    ballot = history.ballot
    if not len(ballot.task):
        return Population()
    crowd = fit_kinds(Patterns.of(ballot, by_synset=False))
    strength = np.array([weights.difficulty, 1e9, weights.difficulty, weights.share])
    synsets = fit_kinds(Patterns.of(ballot, by_synset=True), crowd, strength, rounds=300)
    overall = _difficulty(crowd.yes[0], crowd.shares[0])
    return Population(
        workers=max(ballot.workers, Population().workers),
        sensitivity=overall.sensitivity,
        specificity=overall.specificity,
        base_rate=overall.base_rate,
        hard=overall.hard,
        guess=overall.guess,
        profiles=_profiles(ballot, _confusion(ballot, crowd, synsets, weights.worker), history.seconds),
        synsets=dict(zip(history.wnids, map(_difficulty, synsets.yes, synsets.shares), strict=True)),
    )


def _confusion(ballot: Ballot, crowd: Kinds, synsets: Kinds, weight: float) -> Floats:
    """Each worker's chances of answers on each kind of image, ``(workers, answers, kinds)``, the crowd's on average."""
    counts = ballot.counts().astype(np.float64)
    ratio = np.einsum("ta,tak->tk", counts, np.log(synsets.chances / crowd.chances)[ballot.synset])
    offset = ratio + np.log(synsets.shares)[ballot.synset]
    start = normalised(counts @ np.log(crowd.chances[0]) + offset)
    gold = None if ballot.known is None else Gold(np.where(ballot.known == 1, GOOD, ballot.known))
    if gold is not None:
        gold.impose(start)
    workers = _Workers(crowd.chances[0], offset, weight)
    found = maximise(ballot.incidence(), start, workers, ballot.answers, gold=gold).confusion
    votes = np.bincount(ballot.worker, minlength=ballot.workers)
    for _ in range(20):
        found = found * crowd.chances / np.average(found, axis=0, weights=votes)
        found /= found.sum(axis=1, keepdims=True)
    return found


def _difficulty(yes: Floats, shares: Floats) -> Difficulty:
    return Difficulty(
        base_rate=float(shares[GOOD] / (shares[GOOD] + shares[BAD])),
        sensitivity=float(yes[GOOD]),
        specificity=float(1 - yes[BAD]),
        hard=float(shares[HARD]),
        guess=float(yes[HARD]),
    )


def _profiles(ballot: Ballot, confusion: Floats, seconds: Floats) -> tuple[SimulatedWorker, ...]:
    yes, unsure = Kinds(confusion, confusion[:, 0]).yes, confusion[:, Answer.UNSURE]
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
