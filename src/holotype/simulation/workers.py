"""A crowd of simulated workers: mostly good, some careless, some spammers, or like those whose votes were fitted."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Floats
from holotype.consensus.votes import Answer, Task
from holotype.crowd.port import Page, Sheet
from holotype.errors import CrowdError


def draw(*key: object) -> float:
    """A number in [0, 1) that depends on `key` alone: the same question always has the same answer."""
    digest = hashlib.blake2b("\0".join(map(str, key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How hard a synset is for a crowd.

    `base_rate` is the share of good candidates. On most images workers answer by themselves: yes on a good one with
    chance `sensitivity`, no on a bad one with chance `specificity`. A share `hard`, of good and bad alike, fools
    everybody: there each worker says yes with chance `guess`, good or bad. So votes on one image are correlated.

    Raises `CrowdError` where one is not a chance.
    """

    base_rate: float
    sensitivity: float
    specificity: float
    hard: float = 0.0
    guess: float = 0.5

    def __post_init__(self) -> None:
        if not all(0 <= getattr(self, name) <= 1 for name in self.__slots__):
            raise CrowdError(f"base rate, sensitivity, specificity, hard and guess are between 0 and 1, not {self}")


CAT: Final = Difficulty(0.365, 0.889, 0.934, 0.044)
"""Fitted to the table of cat in Deng et al. (CVPR 2009), figure 7, all of whose cells it gives within .006."""

BURMESE_CAT: Final = Difficulty(0.442, 0.781, 0.847, 0.265)
"""Fitted to the table of Burmese cat beside it, likewise."""


def exact_posterior(difficulty: Difficulty, yes: npt.ArrayLike, no: npt.ArrayLike) -> Floats:
    """The chance that an image with `yes` and `no` votes (counts of any one shape) is good, by Bayes' rule."""
    from scipy.special import xlogy

    y, n = np.asarray(yes), np.asarray(no)
    told = difficulty

    def log_likelihood(share: float, chance: float) -> Floats:
        return np.asarray(xlogy(1, share) + xlogy(y, chance) + xlogy(n, 1 - chance))

    guessed = log_likelihood(told.hard, told.guess)
    good, bad = (
        np.logaddexp(log_likelihood(1 - told.hard, chance), guessed)
        for chance in (told.sensitivity, 1 - told.specificity)
    )
    impossible = np.isneginf(good) & np.isneginf(bad)
    ratio = np.where(impossible, 0.0, bad) - np.where(impossible, 0.0, good)
    odds = np.where(impossible, 0.0, ratio) + xlogy(1, 1 - told.base_rate) - xlogy(1, told.base_rate)
    return np.asarray(1 / (1 + np.exp(np.clip(odds, -700, 700))))


@dataclass(frozen=True, slots=True)
class SimulatedWorker:
    """A worker's chances of an `unsure` on bad, hard and good images; where not unsure, of yes on a good image
    (`sensitivity`) and of no on a bad one (`specificity`); seconds per image; how many votes, beside others'."""

    name: str
    sensitivity: float
    specificity: float
    unsure: tuple[float, float, float]
    seconds: float
    activity: float = 1.0


@dataclass(frozen=True, slots=True)
class Population:
    """What workers are hired from; more than `workers` only when a task has been seen by all.

    Sensitivity and specificity are about those of ReaL's raters (Beyer et al. 2020) by default. Where workers were
    fitted to votes they are the `profiles`, hired as often as they were active, and `careless`, `spammers` and `unsure`
    are unused. `synsets` holds the difficulties that are known, by wnid; every other synset is as `difficulty` of the
    whole. A worker's log odds are shifted in a synset by as much as the synset's are from the population's.
    """

    workers: int = 60
    sensitivity: float = 0.62
    specificity: float = 0.96
    careless: float = 0.10
    spammers: float = 0.05
    unsure: float = 0.03
    base_rate: float = 0.3
    hard: float = 0.0
    guess: float = 0.5
    profiles: tuple[SimulatedWorker, ...] = ()
    synsets: Mapping[str, Difficulty] = field(default_factory=dict)

    def difficulty(self, wnid: str) -> Difficulty:
        """That of a synset, or of the whole where its own is not known."""
        return self.synsets.get(wnid) or Difficulty(
            self.base_rate, self.sensitivity, self.specificity, self.hard, self.guess
        )

    def easier(self, wnid: str) -> tuple[float, float]:
        """By how much the log odds of sensitivity and of specificity are higher in a synset than in the whole."""
        synset = self.difficulty(wnid)
        return (
            log_odds(synset.sensitivity) - log_odds(self.sensitivity),
            log_odds(synset.specificity) - log_odds(self.specificity),
        )


def log_odds(chance: float) -> float:
    """Of a chance, which is taken to be at least a billionth away from 0 and 1."""
    kept = min(max(chance, 1e-9), 1 - 1e-9)
    return math.log(kept / (1 - kept))


def shifted(chance: float, by: float) -> float:
    """A chance with its log odds moved."""
    return 1 / (1 + math.exp(-log_odds(chance) - by))


def hire(population: Population, seed: int, number: int) -> SimulatedWorker:
    """The `number`-th worker of a population.

    One of its profiles, where it has any. Otherwise good workers scatter around the population's sensitivity and
    specificity; the careless overlook two good images in three and are quick; spammers answer yes or no by a coin of
    their own.
    """
    name = f"sim-{seed}-{number:03d}"
    if population.profiles:
        ends = list(accumulate(worker.activity for worker in population.profiles))
        place = bisect_right(ends, draw(seed, number, "profile") * ends[-1])
        return dataclasses.replace(population.profiles[min(place, len(ends) - 1)], name=name)
    share = (number * 0.618034 + draw(seed, "roles")) % 1  # evenly spread, so small crowds have their share too

    def scattered(mean: float, spread: float, what: str) -> float:
        noise = draw(seed, number, what)
        return shifted(mean, spread * math.log((noise + 1e-9) / (1 - noise + 1e-9)))

    seconds = 3 * scattered(0.5, 0.5, "seconds")
    if share < population.spammers:
        yes = draw(seed, number, "spam")
        return SimulatedWorker(name, yes, 1 - yes, (0.0,) * 3, 0.3)
    if share < population.spammers + population.careless:
        return SimulatedWorker(
            name, population.sensitivity * 0.6, population.specificity * 0.94, (0.05,) * 3, seconds / 2
        )
    return SimulatedWorker(
        name,
        scattered(population.sensitivity, 0.2, "sensitivity"),
        scattered(population.specificity, 0.2, "specificity"),
        (population.unsure,) * 3,
        seconds,
    )


class SimulatedCrowd:
    """A shipped implementation of the `Crowd` port, for rehearsals, tests and the demo.

    `shows` says whether a task's image shows its synset; only the workers' eyes see it. Who takes a page and what each
    worker answers depend on the seed, the page and the task alone, so a campaign that is interrupted and
    resumed ends with the same votes as one that is not.
    """

    name = "simulated"

    def __init__(
        self,
        shows: Callable[[Task], bool],
        clock: Callable[[], float],
        population: Population = Population(),
        seed: int = 2009,
    ) -> None:
        self._shows = shows
        self._clock = clock
        self._seed = seed
        self._workers = [hire(population, seed, number) for number in range(population.workers)]
        self._population = population
        self._posted: list[Page] = []

    def post(self, pages: Sequence[Page]) -> None:
        """Put pages up; they are answered at the next `collect`."""
        self._posted.extend(pages)

    def collect(self) -> list[Sheet]:
        """Every posted page, answered. More workers are hired when all have seen one of a page's tasks."""
        pages, self._posted = self._posted, []
        return [self._answer(page) for page in pages]

    def waiting(self) -> list[Page]:
        """Nothing: every page is answered at once."""
        return []

    def acknowledge(self, sheets: Sequence[Sheet]) -> None:
        """Simulated workers are not paid."""

    def _answer(self, page: Page) -> Sheet:
        free = self._free(page)
        while not free:
            self._workers.append(hire(self._population, self._seed, len(self._workers)))
            free = self._free(page)
        worker = min(free, key=lambda worker: draw(self._seed, "takes", page.id, worker.name))
        return Sheet(
            page,
            worker.name,
            tuple(self._vote(worker, task) for task in page.tasks),
            worker.seconds * len(page.tasks),
            self._clock(),
        )

    def _free(self, page: Page) -> list[SimulatedWorker]:
        return [worker for worker in self._workers if worker.name not in page.seen]

    def _vote(self, worker: SimulatedWorker, task: Task) -> Answer:
        question = (self._seed, worker.name, task.wnid, task.sha256)
        good, difficulty = self._shows(task), self._population.difficulty(task.wnid)
        hard = draw(self._seed, "hard", task.wnid, task.sha256) < difficulty.hard
        if draw(*question, "unsure") < worker.unsure[1 if hard else 2 * good]:
            return Answer.UNSURE
        yes = difficulty.guess if hard else self._yes(worker, task.wnid, good)
        return Answer.YES if draw(*question, "yes") < yes else Answer.NO

    def _yes(self, worker: SimulatedWorker, wnid: str, good: bool) -> float:
        """A worker's chance of yes on an image of a synset that is not hard."""
        if wnid not in self._population.synsets:
            return worker.sensitivity if good else 1 - worker.specificity
        easier = self._population.easier(wnid)
        return shifted(worker.sensitivity, easier[0]) if good else 1 - shifted(worker.specificity, easier[1])
