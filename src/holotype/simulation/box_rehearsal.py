"""Campaigns for boxes rehearsed with simulated people: what they would take, and how good the boxes would be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.boxes.campaign import Memory, run_boxes
from holotype.boxes.deciding import Outcome
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Subject, Tally
from holotype.boxes.values import Corners, Kind
from holotype.errors import CrowdError
from holotype.simulation.box_crowd import SimulatedDrawers
from holotype.simulation.box_scores import BoxScore, score
from holotype.simulation.drawers import PEOPLE, Drawers, Pace
from holotype.simulation.scenes import Scenes, made_boxes
from holotype.simulation.workers import draw

GOLD: Final = {Kind.DRAW: 0.0, Kind.QUALITY: 1 / 12, Kind.COVERAGE: 1 / 12}
"""The share of questions that are gold, and are paid: one on a page of twelve."""

SYNSETS: Final = 10
"""As many categories as Su, Deng and Fei-Fei had boxed, of 200 images each."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A candidate, and the instances that its image shows."""

    subject: Subject
    truth: tuple[Corners, ...]


@dataclass(frozen=True, slots=True)
class Wage:
    """What work costs: dollars an hour, and a platform's `fee` as a share of them. Raises `CrowdError` for what is no
    wage."""

    hourly: float = 12.0
    fee: float = 0.2

    def __post_init__(self) -> None:
        if not (0 <= self.hourly < np.inf and 0 <= self.fee < np.inf):
            raise CrowdError(f"a wage and a fee are 0 or more, not {self}")

    def dollars(self, seconds: float) -> float:
        """The cost of so much work."""
        return seconds / 3600 * self.hourly * (1 + self.fee)


@dataclass(frozen=True, slots=True)
class BoxRehearsal:
    """How rules did on simulated people: the `questions` asked of each kind, gold among them, and the mean `seconds`
    that these take; how good the boxes are; the share of drawings judged that were `accepted`; and for how many images
    a person must look."""

    rules: str
    questions: Mapping[Kind, float]
    seconds: float
    score: BoxScore
    accepted: float
    person: int

    @property
    def seconds_a_box(self) -> float:
        """Seconds of work for each box; NaN where there is none."""
        return self.seconds / self.score.boxes if self.score.boxes else float("nan")


def made_pictures(count: int, scenes: Scenes, seed: int) -> list[Picture]:
    """Pictures of 500 x 375 pixels, or upright, of ten synsets; numbered from 1."""
    if count < 1:
        raise CrowdError("there is nothing to rehearse: a picture or more is wanted")
    return [_made(number, scenes, seed) for number in range(1, count + 1)]


def _made(number: int, scenes: Scenes, seed: int) -> Picture:
    sha256, wnid = f"{seed}-{number}", f"n{number % SYNSETS:08d}"
    width, height = (500, 375) if draw(sha256, "upright") < 0.75 else (375, 500)
    return Picture(Subject(number, wnid, sha256, width, height), made_boxes(sha256, wnid, width, height, scenes))


def crowd_of(pictures: Sequence[Picture], population: Drawers = PEOPLE, seed: int = 2009) -> SimulatedDrawers:
    """Simulated people who see these pictures."""
    truth = {(one.subject.sha256, one.subject.wnid): one.truth for one in pictures}
    return SimulatedDrawers(lambda sha256, wnid, *_: truth[sha256, wnid], lambda: 0.0, population, seed)


def rehearse_boxes(
    pictures: Sequence[Picture], rules: Rules, population: Drawers = PEOPLE, seed: int = 2009
) -> BoxRehearsal:
    """What a campaign under `rules` would take and bring, with simulated people; nothing is posted or stored.

    Seconds are the mean of each kind of question, so that chance in a few slow ones decides nothing.
    """
    tally, record = Tally([one.subject for one in pictures]), Memory()
    run_boxes(tally, crowd_of(pictures, population, seed), rules, record)
    kinds = {number: question.kind for question, number in record.questions.items()}
    asked = Counter(kinds[number] for number, _ in record.given)
    questions = {kind: asked[kind] / (1 - share) for kind, share in GOLD.items()}
    found = score(
        ([one.instance.box for one in tally.boxed(picture.subject.number)], picture.truth) for picture in pictures
    )
    good, judged = tally.judged()
    person = tally.counts()[str(Outcome.PERSON)]
    seconds = seconds_of(questions, population.paces)
    return BoxRehearsal(str(rules), questions, seconds, found, good / judged if judged else float("nan"), person)


def seconds_of(questions: Mapping[Kind, float], paces: Mapping[Kind, Pace]) -> float:
    """The mean seconds that so many questions of each kind take."""
    return sum(count * paces[kind].mean for kind, count in questions.items())
