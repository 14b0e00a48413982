"""A machine as a worker: a model's scores, and the thresholds that make answers of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from holotype.consensus.votes import MACHINE, Answer, Task
from holotype.errors import CrowdError

LONGEST_NAME: Final = 100

Said = float | Answer | None
"""What a model says of a question: the chance of a yes, or an answer as it is; None is nothing, and no vote."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Answers by score: yes from `yes` on, no up to `no`, unsure between."""

    yes: float = 0.5
    no: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.no < self.yes <= 1:
            raise CrowdError(f"thresholds need 0 <= no < yes <= 1, not no {self.no} and yes {self.yes}")

    def __str__(self) -> str:
        return f"yes from {self.yes}, no up to {self.no}"

    def answer(self, score: float | Answer) -> Answer:
        """The answer that a score is."""
        if isinstance(score, Answer):
            return score
        return Answer.YES if score >= self.yes else Answer.NO if score <= self.no else Answer.UNSURE


class Wants(Enum):
    """What a model has to be shown of an image: nothing, its file's bytes, or a small upright JPEG."""

    NOTHING = "nothing"
    BYTES = "bytes"
    JPEG = "jpeg"


@dataclass(frozen=True, slots=True)
class Question:
    """Whether an image shows a synset: the synset's `lemmas` and `gloss`, and as much of the image as a model wants."""

    task: Task
    lemmas: tuple[str, ...]
    gloss: str
    image: bytes = b""


class Model(Protocol):
    """Whatever has a score for a question."""

    @property
    def wants(self) -> Wants:
        """What it has to be shown."""

    @property
    def batch(self) -> int:
        """How many questions it takes at once."""

    @property
    def at_once(self) -> int:
        """How many such batches it takes at the same time."""

    @property
    def identity(self) -> str:
        """What tells it from other models, and is no secret; "" where nothing does."""

    def scores(self, questions: Sequence[Question]) -> Sequence[Said]:
        """What it says to each question."""


def worker_name(name: str) -> str:
    """What a machine of a name, which may begin with `MACHINE`, is called as a worker.

    Raises `CrowdError` for a name that is empty, too long, or cannot be printed.
    """
    bare = name.removeprefix(MACHINE)
    if not bare or len(bare) > LONGEST_NAME or not bare.isprintable() or bare.strip() != bare:
        raise CrowdError(f"a machine needs a name that can be printed, such as resnet50, not {bare[:80]!r}")
    return MACHINE + bare


@dataclass(frozen=True, slots=True)
class Machine:
    """A worker who is a machine, called ``machine:`` and a name. `most` is how many questions it is asked in a run, all
    where it is None.

    Votes are never changed, so a machine with other thresholds, or another model, is another machine: give it another
    name.
    """

    name: str
    model: Model
    thresholds: Thresholds = Thresholds()
    most: int | None = None

    def __post_init__(self) -> None:
        worker_name(self.name)
        if self.most is not None and self.most < 0:
            raise CrowdError(f"a machine is asked a number of questions, 0 or more, not {self.most}")

    @property
    def bare(self) -> str:
        """The name without what all machines' begin with."""
        return self.name.removeprefix(MACHINE)

    @property
    def worker(self) -> str:
        """The name as a worker."""
        return worker_name(self.name)

    @property
    def identity(self) -> str:
        """What makes it the machine it is."""
        return "; ".join(filter(None, (str(self.thresholds), self.model.identity)))


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores that are there already, by the number of the task."""

    by_number: Mapping[int, float]
    wants: Wants = Wants.NOTHING
    batch: int = 20_000
    at_once: int = 1
    identity: str = ""

    def scores(self, questions: Sequence[Question]) -> list[Said]:
        """What is there, None where nothing is."""
        return [self.by_number.get(question.task.number) for question in questions]


@dataclass(frozen=True, slots=True)
class Asked:
    """A function from questions, with their images' bytes, to chances or answers; NaN or None says nothing."""

    function: Callable[[Sequence[Question]], Sequence[Said]]
    batch: int = 64
    wants: Wants = Wants.BYTES
    at_once: int = 1
    identity: str = ""

    def scores(self, questions: Sequence[Question]) -> Sequence[Said]:
        """What the function says."""
        return self.function(questions)


def checked(scores: Sequence[Said], questions: int) -> list[Said]:
    """Scores as they may be: as many as were asked for, each a chance, an answer or None. Raises `CrowdError`."""
    if len(scores) != questions:
        raise CrowdError(f"a machine gave {len(scores):,} scores to {questions:,} questions")
    return [_checked(score) for score in scores]


def _checked(score: Said) -> Said:
    if score is None or isinstance(score, Answer):
        return score
    if math.isnan(score):
        return None
    if not 0 <= score <= 1:
        raise CrowdError(f"a score is a chance between 0 and 1, not {score}")
    return float(score)
