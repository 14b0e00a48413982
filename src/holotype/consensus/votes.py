"""Questions about images, and the answers to them: what models, crowds and audits speak of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

MACHINE: Final = "machine:"
"""What the name of a worker begins with that is a machine, and nobody else's."""

CURATOR: Final = "curator:"
"""What the name of a worker begins with that is a curator whose word settles a question, and nobody else's."""


TRAINING: Final = -1
"""The round of votes that were cast to learn: they are kept, and count for nothing."""


def is_machine(name: str) -> bool:
    """Whether the worker of a name is a machine, such as ``machine:resnet50``; a person cannot be called so."""
    return name.startswith(MACHINE)


def is_curator(name: str) -> bool:
    """Whether the worker of a name is a curator, such as ``curator:ann``; a person cannot be called so."""
    return name.startswith(CURATOR)


class Answer(IntEnum):
    """The answer to "is there an object of this synset in this image?" """

    NO = 0
    UNSURE = 1
    YES = 2


class Task(NamedTuple):
    """One question: does this image show this synset? `number` is the candidate's id in the catalog."""

    number: int
    wnid: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer by one worker: a fact. `round` is that of the campaign, from 1; 0 is none: from elsewhere; and
    `TRAINING`."""

    task: int
    worker: str
    answer: Answer
    page: str
    seconds: float
    at: float
    round: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody said for sure of an image and a synset at a Unix time, and why; None withdraws what was said."""

    sha256: str
    wnid: str
    answer: Answer | None
    by: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a curator says an answer is, whatever the votes say: a conclusion about the image by one person."""

    answer: bool
    curator: str
