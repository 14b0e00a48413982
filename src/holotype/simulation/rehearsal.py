"""A campaign rehearsed with simulated workers over arrays, to compare policies and to price them."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.em import LEAST, normalised
from holotype.crowd.campaign import PAGE_SIZE
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.errors import CrowdError
from holotype.simulation.fitting import BAD, GOOD, HARD, History, Kinds
from holotype.simulation.replay import play
from holotype.simulation.workers import Population, hire, log_odds


@dataclass(frozen=True, slots=True)
class Prices:
    """What a worker's sheet for a page of `page_size` images costs: a `reward` in dollars, and the platform's `fee`.

    The fee is a share of the reward, and a cent at least unless it is 0.
    ImageNetV2 (Recht et al. 2019) paid .10 for a page of 48; Mechanical Turk takes 20 %, as in
    `holotype.crowd.mturk.terms`.
    Raises `CrowdError` for what cannot be a price.
    """

    reward: float = 0.10
    fee: float = 0.20
    page_size: int = PAGE_SIZE

    def __post_init__(self) -> None:
        if not (0 <= self.reward < np.inf and 0 <= self.fee < np.inf and self.page_size >= 1):
            raise CrowdError(f"a price needs a reward and a fee of 0 or more and a page of 1 image or more, not {self}")

    def dollars(self, pages: float) -> float:
        """The cost of so many answered pages."""
        return pages * (self.reward + (max(0.01, self.fee * self.reward) if self.fee else 0.0))


@dataclass(frozen=True, slots=True)
class Spent:
    """What asking took: votes, seconds of work, pages; not whole numbers where a sample stands for more."""

    votes: float = 0.0
    seconds: float = 0.0
    pages: float = 0.0


class Stage:
    """The workers and synsets of a population as arrays.

    Workers are the population's profiles, in order, or hired where it has none. Where all have voted on a task, hired
    ones like them step in, of which there are enough to make up the population's number.
    """

    def __init__(self, population: Population, wnids: Sequence[str]) -> None:
        profiles = list(population.profiles)
        extra = [hire(population, 0, number) for number in range(population.workers - len(profiles))]
        staff = profiles + extra
        self.sensitivity = np.array([log_odds(worker.sensitivity) for worker in staff])
        self.specificity = np.array([log_odds(worker.specificity) for worker in staff])
        self.unsure = np.array([worker.unsure for worker in staff])
        self.seconds = np.array([worker.seconds for worker in staff])
        activity = [worker.activity for worker in profiles] + [0.0 if profiles else 1.0] * len(extra)
        self.activity = np.array(activity)
        synsets = [population.difficulty(wnid) for wnid in wnids]
        self.easier = np.array([population.easier(wnid) for wnid in wnids])
        self.base_rates, self.hard, self.guess = (
            np.array([getattr(synset, name) for synset in synsets]) for name in ("base_rate", "hard", "guess")
        )

    @property
    def shares(self) -> Floats:
        """Shares of bad, hard and good images, ``(synsets, 3)``."""
        easy = 1 - self.hard
        return np.stack([easy * (1 - self.base_rates), self.hard, easy * self.base_rates], axis=1)

    def moved(self, before: Kinds, after: Kinds) -> Stage:
        """The same workers and synsets in a crowd that is now `after` where it was `before`."""
        moved = copy.copy(self)
        odds = (np.log(after.yes / (1 - after.yes)) - np.log(before.yes / (1 - before.yes)))[0]
        moved.sensitivity = self.sensitivity + odds[GOOD]
        moved.specificity = self.specificity - odds[BAD]
        moved.guess = self.guess / (self.guess + (1 - self.guess) * np.exp(-odds[HARD]))
        shares = self.shares * after.shares / before.shares
        moved.hard = shares[:, HARD] / shares.sum(axis=1)
        moved.base_rates = shares[:, GOOD] / (shares[:, GOOD] + shares[:, BAD])
        return moved

    def chances(self, worker: Ints, synset: Ints) -> Floats:
        """Chances of no, unsure and yes by each worker on each kind of image, ``(votes, kinds, answers)``."""
        specific = self.specificity[worker] + self.easier[synset, 1]
        sensitive = self.sensitivity[worker] + self.easier[synset, 0]
        yes = np.stack([1 / (1 + np.exp(specific)), self.guess[synset], 1 / (1 + np.exp(-sensitive))], axis=1)
        unsure = self.unsure[worker]
        return np.stack([(1 - unsure) * (1 - yes), unsure, (1 - unsure) * yes], axis=2)

    def kinds(self, ballot: Ballot, shares: Floats) -> Floats:
        """The chance that each task is bad, hard and good given its votes, ``(tasks, 3)``."""
        chances = self.chances(ballot.worker, ballot.synset[ballot.task])[np.arange(len(ballot.task)), :, ballot.answer]
        scores = np.log(np.maximum(shares, LEAST))[ballot.synset]
        for kind, given in enumerate(np.log(np.maximum(chances, LEAST)).T):
            scores[:, kind] += np.bincount(ballot.task, given, ballot.tasks)
        return normalised(scores)


class Simulation:
    """Workers on a stage, as active as `activity` ``(workers,)`` says, who answer about tasks of known `kinds`
    ``(tasks,)``: a crowd for `holotype.simulation.replay.play`.

    Each task stands for `scale` ``(tasks,)`` of its synset; `spent` counts them all.
    """

    def __init__(
        self, stage: Stage, activity: Floats, kinds: Ints, scale: Floats, page_size: int, rng: np.random.Generator
    ) -> None:
        self._stage, self._kinds, self._scale, self._page_size, self._rng = stage, kinds, scale, page_size, rng
        self._ends = np.cumsum(activity)
        self.spent = Spent()

    def ask(self, ballot: Ballot, tasks: Ints) -> Ballot:
        """One vote more on each of `tasks` on which not everybody has voted."""
        tasks = tasks[ballot.votes_per_task[tasks] < len(self._ends)]
        worker, synset = self._pick(ballot, tasks), ballot.synset[tasks]
        chances = self._stage.chances(worker, synset)[np.arange(len(tasks)), self._kinds[tasks]]
        answer = draw_rows(chances, self._rng)
        scale = self._scale[tasks]
        self.spent = Spent(
            self.spent.votes + float(scale.sum()),
            self.spent.seconds + float(scale @ self._stage.seconds[worker]),
            self.spent.pages + float(np.ceil(np.bincount(synset, scale) / self._page_size - 1e-9).sum()),
        )
        return dataclasses.replace(
            ballot,
            task=np.concatenate([ballot.task, tasks]),
            worker=np.concatenate([ballot.worker, worker]),
            answer=np.concatenate([ballot.answer, answer]),
            workers=len(self._ends),
        )

    def _pick(self, ballot: Ballot, tasks: Ints) -> Ints:
        """A worker for each task who has not voted on it: by activity, and by lot where those have all been drawn."""
        workers = len(self._ends)
        seen = np.asarray(ballot.task, np.int64) * workers + ballot.worker
        picked = np.zeros(len(tasks), np.int64)
        left, turn = np.arange(len(tasks)), 0
        while len(left):
            lot = self._rng.random(len(left))
            by_activity = np.searchsorted(self._ends, lot * self._ends[-1], side="right")
            picked[left] = np.minimum(by_activity, workers - 1) if turn < 8 else (lot * workers).astype(np.int64)
            left = left[np.isin(tasks[left] * workers + picked[left], seen)]
            turn += 1
        return picked


def draw_rows(chances: Floats, rng: np.random.Generator) -> Ints:
    """A column for each row of chances ``(rows, columns)``, ``(rows,)``."""
    ends = np.cumsum(chances, axis=1)
    return np.asarray((rng.random((len(chances), 1)) * ends[:, -1:] >= ends).sum(axis=1))


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a policy did on simulated `images`: votes and dollars per image, hours of work in all, precision and recall
    of yes against the simulated truth (NaN where there is none), the share it left undecided."""

    policy: str
    images: int
    votes: float
    dollars: float
    hours: float
    precision: float
    recall: float
    undecided: float


def images_like(history: History, count: int, rng: np.random.Generator) -> list[str]:
    """Wnids for `count` images like a campaign's: whole synsets drawn at random, over again where it has fewer images.

    Empty where it has none.
    """
    synset = history.ballot.synset
    order = np.argsort(rng.permutation(history.ballot.synsets)[synset], kind="stable")
    return [history.wnids[number] for number in np.resize(synset[order], count if len(synset) else 0).tolist()]


def rehearse(
    population: Population,
    wnids: Sequence[str],
    policies: Sequence[Policy],
    prices: Prices,
    rng: np.random.Generator,
) -> list[Rehearsal]:
    """What each policy would cost and achieve on images for `wnids`, a synset per image, with this population.

    All policies see the same images, whose kinds are drawn from the synsets' difficulties. Nothing is posted or stored.
    Precision and recall are of the simulation: as true as the population is like the crowd. Raises `CrowdError`
    where there are no images.
    """
    if not len(wnids):
        raise CrowdError("there is nothing to rehearse: take in candidates first")
    names, synset = np.unique(np.asarray(wnids), return_inverse=True)
    stage = Stage(population, [str(name) for name in names])
    kinds = draw_rows(stage.shares[synset], rng)
    good = (kinds == GOOD) | ((kinds == HARD) & (rng.random(len(kinds)) < stage.base_rates[synset]))
    none = np.zeros(0, np.int64)
    ballot = Ballot(none, none, none, synset, len(stage.seconds), len(names))
    found = []
    for policy in policies:
        simulation = Simulation(stage, stage.activity, kinds, np.ones(len(kinds)), prices.page_size, rng)
        conclusion, _ = play(ballot, policy, simulation.ask)
        found.append(_scored(policy, conclusion, good, simulation.spent, prices))
    return found


def _scored(
    policy: Policy, conclusion: Conclusion, good: npt.NDArray[np.bool_], spent: Spent, prices: Prices
) -> Rehearsal:
    yes, no = (conclusion.are(which) for which in (State.YES, State.NO))
    right = int((yes & good).sum())
    return Rehearsal(
        str(policy),
        len(good),
        spent.votes / len(good),
        prices.dollars(spent.pages) / len(good),
        spent.seconds / 3600,
        right / int(yes.sum()) if yes.any() else np.nan,
        right / int(good.sum()) if good.any() else np.nan,
        1 - float((yes | no).mean()),
    )
