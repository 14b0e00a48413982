"""What a worker has to learn before a synset's first page, decided from what they showed to know."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from holotype.crowd.gold import PASS_SHARE

QUIZ: Final = "quiz"
TRAINING: Final = "training"
LONGEST: Final = 10
"""Pictures of a training page."""
LEAST: Final = 4
"""Pictures below which a training page teaches nothing."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """That a worker has to take a ``quiz`` or a ``training`` on a synset before its pages."""

    kind: str
    wnid: str


def training_size(sides: Collection[bool]) -> int:
    """How many pictures to train on where gold says so of `sides`: half of it, for the other half is to be asked.

    0 where there is too little, or only one side.
    """
    size = min(LONGEST, len(sides) // 2)
    return size if size >= LEAST and len(set(sides)) == 2 else 0


def is_passed(correct: int, asked: int, kind: str) -> bool:
    """Whether a try suffices: a quiz is right or wrong, of a training page `PASS_SHARE` must be right."""
    return asked > 0 and correct >= (asked if kind == QUIZ else PASS_SHARE * asked)


def next_lesson(wnid: str, tried: Iterable[tuple[str, int, int]], has_quiz: bool, has_training: bool) -> Lesson | None:
    """The first lesson on a synset that is there and that no try ``(kind, correct, asked)`` passed."""
    passed = {kind for kind, correct, asked in tried if is_passed(correct, asked, kind)}
    there = [kind for kind, held in ((QUIZ, has_quiz), (TRAINING, has_training)) if held]
    return next((Lesson(kind, wnid) for kind in there if kind not in passed), None)
