"""Simulated people who draw and judge boxes: what they are like, and who is hired."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Final

from holotype.boxes.values import Kind
from holotype.errors import CrowdError
from holotype.simulation.workers import draw, shifted

NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that a question takes, log-normal through a `median` and a `mean`. Raises `CrowdError` for what has no
    such distribution."""

    median: float
    mean: float

    def __post_init__(self) -> None:
        if not 0 < self.median <= self.mean < math.inf:
            raise CrowdError(f"a pace has a median above 0 and a mean that is not below it, not {self}")

    @property
    def spread(self) -> float:
        """The standard deviation of the seconds' logarithm."""
        return math.sqrt(2 * math.log(self.mean / self.median))

    def at(self, normal: float) -> float:
        """The seconds so many standard deviations from the median."""
        return self.median * math.exp(self.spread * normal)

    def times(self, factor: float) -> Pace:
        """That of who takes so many times as long."""
        return Pace(self.median * factor, self.mean * factor)


SU_PACES: Final = {Kind.DRAW: Pace(25.5, 50.8), Kind.QUALITY: Pace(9.0, 21.9), Kind.COVERAGE: Pace(7.8, 15.3)}
"""Seconds of Su, Deng and Fei-Fei (HCOMP 2012), who give them for a box."""

SLIPS: Final = {"loose": 0.62, "wrong": 0.14, "repeated": 0.10, "several": 0.08, "nothing": 0.06}
"""What a drawing that is no good is, by its share where all of them can be: Su et al. name these, not their shares."""


@dataclass(frozen=True, slots=True)
class Drawers:
    """What people who draw and judge are hired from; more than `workers` only where all have seen a page.

    A share of the drawings `slip`: they are no good in one of the ways of `slips`. Good drawings have each of their
    edges off by a normal share `jitter` of the box's side. Judges of quality call a drawing good where they see its
    intersection over union with an instance that had no box above `strict`, give or take `blur`; beside that they are
    `inattentive` in so many questions and answer anything. What each drawing looks like to all (`common`, in overlap)
    makes judges err together. Judges of coverage overlook one in `overlooked` of the middling instances, more of the
    small ones, and some are overlooked by most (`hidden`, in log odds); they see one that is not there in `imagined` of
    the questions. `more` of those who draw say rightly whether another has no box.

    The `careless` slip twice as often in log odds as they should and answer anything in a fifth of the questions;
    `spammers` draw anywhere and judge by a coin. Without `trained` people 4.2 points fewer of the drawings are accepted
    (Su et al.).

    The defaults are fitted so that the protocol of Su et al. with these people gives the figures that they report:
    62.2 % of drawings accepted, 89.9 % of pages of quality and 95.0 % of coverage with all gold right, 97.9 % of images
    covered, 99.2 % of boxes accurate (bench/boxes.py).
    """

    workers: int = 100
    slip: float = 0.34
    slips: Mapping[str, float] = field(default_factory=lambda: SLIPS)
    jitter: float = 0.03
    strict: float = 0.747
    blur: float = 0.02
    fussy: float = 0.065
    inattentive: float = 0.006
    common: float = 0.015
    overlooked: float = 0.025
    hidden: float = 0.7
    imagined: float = 0.002
    more: float = 0.9
    careless: float = 0.10
    spammers: float = 0.02
    trained: bool = True
    paces: Mapping[Kind, Pace] = field(default_factory=lambda: SU_PACES)


PEOPLE: Final = Drawers()
"""Those of Su et al."""


@dataclass(frozen=True, slots=True)
class Drawer:
    """A simulated person: the chance to `slip` in a drawing, `jitter` of edges as a share of the side, the chance to
    answer anything (`inattentive`), how much more easily they overlook an instance (`blind`, in log odds), how their
    pace differs (`slow`, in standard deviations), how much they do beside others; whether they are a spammer."""

    name: str
    slip: float
    jitter: float
    inattentive: float
    blind: float
    slow: float
    activity: float
    spammer: bool = False


UNTRAINED: Final = 0.19
"""By how much the log odds to slip are higher without training: 4.2 points fewer drawings are then accepted."""


def hire_drawer(population: Drawers, seed: int, number: int) -> Drawer:
    """The `number`-th person of a population."""
    name = f"sim-{seed}-{number:03d}"
    share = (number * 0.618034 + draw(seed, "roles")) % 1  # evenly spread, so small crowds have their share too

    def normal(what: str) -> float:
        return normal_of(draw(seed, number, what))

    activity, slow = math.exp(normal("activity")), 0.5 * normal("pace")
    if share < population.spammers:
        return Drawer(name, 1.0, population.jitter, 1.0, 0.0, slow - 1.0, activity, spammer=True)
    careless = share < population.spammers + population.careless
    untrained = 0.0 if population.trained else UNTRAINED
    slip = shifted(population.slip, 0.4 * normal("slip") + untrained + (1.6 if careless else 0.0))
    jitter = population.jitter * math.exp(0.3 * normal("jitter"))
    inattentive = 0.12 if careless else shifted(population.inattentive, 0.5 * normal("inattentive"))
    blind = 0.4 * normal("blind") + (1.0 if careless else 0.0)
    return Drawer(name, slip, jitter, inattentive, blind, slow - 0.3 * careless, activity)


def normal_of(chance: float) -> float:
    """The standard normal deviate below which that chance lies, at most five deviations away."""
    return max(-5.0, min(5.0, NORMAL.inv_cdf(min(max(chance, 1e-9), 1 - 1e-9))))
