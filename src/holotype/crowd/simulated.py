"""A crowd of simulated workers: mostly good, some careless, some spammers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holotype.crowd.port import Answer, Page, Sheet, Task


def draw(*key: object) -> float:
    """A number in [0, 1) that depends on `key` alone: the same question always has the same answer."""
    digest = hashlib.blake2b("\0".join(map(str, key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass(frozen=True, slots=True)
class SimulatedWorker:
    """A worker's chance of yes on a good image (`sensitivity`) and of no on a bad one (`specificity`), of an
    `unsure` instead of either, and seconds per image."""

    name: str
    sensitivity: float
    specificity: float
    unsure: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Population:
    """What workers are hired from; more than `workers` only when a task has been seen by all.

    Sensitivity and specificity are about those of ReaL's raters (Beyer et al. 2020) by default.
    """

    workers: int = 60
    sensitivity: float = 0.62
    specificity: float = 0.96
    careless: float = 0.10
    spammers: float = 0.05
    unsure: float = 0.03


def hire(population: Population, seed: int, number: int) -> SimulatedWorker:
    """The `number`-th worker of a population.

    Good workers scatter around the population's sensitivity and specificity; the careless overlook two good
    images in three and are quick; spammers answer yes or no by a coin of their own.
    """
    name = f"sim-{seed}-{number:03d}"
    share = (number * 0.618034 + draw(seed, "roles")) % 1  # evenly spread, so small crowds have their share too

    def scattered(mean: float, spread: float, what: str) -> float:
        noise = draw(seed, number, what)
        shifted = math.log(mean / (1 - mean)) + spread * math.log((noise + 1e-9) / (1 - noise + 1e-9))
        return 1 / (1 + math.exp(-shifted))

    seconds = 3 * scattered(0.5, 0.5, "seconds")
    if share < population.spammers:
        yes = draw(seed, number, "spam")
        return SimulatedWorker(name, yes, 1 - yes, 0.0, 0.3)
    if share < population.spammers + population.careless:
        return SimulatedWorker(name, population.sensitivity * 0.6, population.specificity * 0.94, 0.05, seconds / 2)
    return SimulatedWorker(
        name,
        scattered(population.sensitivity, 0.2, "sensitivity"),
        scattered(population.specificity, 0.2, "specificity"),
        population.unsure,
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
        if draw(*question, "unsure") < worker.unsure:
            return Answer.UNSURE
        yes = worker.sensitivity if self._shows(task) else 1 - worker.specificity
        return Answer.YES if draw(*question, "yes") < yes else Answer.NO
