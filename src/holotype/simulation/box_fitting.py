"""Simulated people who draw and judge like a project's own, as far as its facts tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Final

from holotype.boxes.deciding import Outcome
from holotype.boxes.tally import Given, Tally
from holotype.boxes.values import Kind
from holotype.consensus.votes import is_machine
from holotype.simulation.drawers import PEOPLE, Drawers, Pace
from holotype.simulation.workers import log_odds, shifted

ENOUGH: Final = 100
"""From how many drawings that were judged, or questions that were timed, on the project's own figures are used."""

ACCEPTED: Final = 0.622
"""The share of drawings that are accepted where people slip as by default (Su, Deng and Fei-Fei, HCOMP 2012)."""


@dataclass(frozen=True, slots=True)
class BoxHistory:
    """A campaign for boxes so far: how many drawings were judged and how many of them `good`, the `seconds` of each
    question by its kind, and how many images are `covered` with how many boxes."""

    judged: int
    good: int
    seconds: Mapping[Kind, Sequence[float]]
    covered: int
    boxes: int

    @classmethod
    def of(cls, tally: Tally, given: Iterable[Given]) -> BoxHistory:
        """That of a tally that is concluded, and of all replies; without machines, who take no time."""
        seconds: dict[Kind, list[float]] = {}
        for one in given:
            question = tally.question(one.question)
            if question is not None and one.round > 0 and one.seconds > 0 and not is_machine(one.worker):
                seconds.setdefault(question.kind, []).append(one.seconds)
        done = [number for number in tally.subjects if tally.outcome(number) is Outcome.COVERED]
        good, judged = tally.judged()
        return cls(judged, good, seconds, len(done), sum(len(tally.boxed(number)) for number in done))

    @property
    def per_image(self) -> float | None:
        """Boxes an image, where enough are covered to tell."""
        return self.boxes / self.covered if self.covered >= ENOUGH else None


def fit_drawers(history: BoxHistory, population: Drawers = PEOPLE) -> Drawers:
    """A population whose drawings are as good as the history's and who take as long, where it has `ENOUGH` of either;
    all else is as in `population`."""
    paces = {kind: _pace(history.seconds.get(kind, ()), pace) for kind, pace in population.paces.items()}
    if history.judged < ENOUGH:
        return replace(population, paces=paces)
    worse = log_odds(ACCEPTED) - log_odds(history.good / history.judged)
    return replace(population, paces=paces, slip=shifted(population.slip, worse))


def _pace(seconds: Sequence[float], else_: Pace) -> Pace:
    return Pace(median(seconds), max(median(seconds), fmean(seconds))) if len(seconds) >= ENOUGH else else_
