"""What workers are told about their own work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from holotype.consensus.votes import Answer

BLOCK: Final = 10
"""Sheets after which what is said of gold may change."""

ENOUGH: Final = 20
"""Gold answers below which nothing is said of them."""

MOST: Final = 200
"""Sheets, the last ones, that what is said of gold is of; whole blocks."""

STEP: Final = 0.05
RECENT: Final = 100
"""Sheets, the last ones, that the pace is of."""


@dataclass(frozen=True, slots=True)
class Work:
    """A sheet as figures go by it: tasks and answers, in their order, and the seconds it took."""

    tasks: Sequence[int]
    answers: Sequence[int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Pages and pictures that a worker answered, seconds a picture in the middle of their last sheets, and the share of
    gold they got right; None where that is not known, or not yet told."""

    pages: int
    pictures: int
    pace: float | None
    right: float | None


def figures_of(work: Sequence[Work], gold: Mapping[int, bool]) -> Figures:
    """What a worker's sheets, oldest first, come to; `gold` says of some tasks whether the answer is yes.

    The share of gold must not tell which pictures are gold. If it were told after each page, who answers one page
    with care and the next with one picture changed would read off whether that one was gold; with fifty tries a page
    gives away its gold, and what is known of one page holds on every later one. So it is of whole blocks of `BLOCK`
    sheets, some 480 pictures with a dozen or two of gold among them: between two values that are told lie as many
    answers at once, they cannot be given again, and what changes is rounded to steps of `STEP`, which one answer among
    those does not move but by chance. Neither the number of gold answers nor what is gold is told.
    """
    paces = [one.seconds / len(one.answers) for one in work[-RECENT:] if one.answers]
    marks = [said == right for one in told(work) for said, right in _on_gold(one, gold)]
    share = round(sum(marks) / len(marks) / STEP) * STEP if len(marks) >= ENOUGH else None
    pictures = sum(len(one.answers) for one in work)
    return Figures(len(work), pictures, median(paces) if paces else None, share)


def told(work: Sequence[Work]) -> Sequence[Work]:
    """The sheets by which the share of gold is told: whole blocks, the last ones."""
    return work[: len(work) // BLOCK * BLOCK][-MOST:]


def _on_gold(work: Work, gold: Mapping[int, bool]) -> Iterable[tuple[int, int]]:
    pairs = zip(work.tasks, work.answers, strict=True)
    return [(said, Answer.YES if gold[task] else Answer.NO) for task, said in pairs if task in gold]
