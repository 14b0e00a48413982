"""What people learn before they draw and judge boxes, and what is said of what they do there: decided from what is
known (Su, Deng and Fei-Fei, HCOMP 2012, sections 3.1 to 3.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from holotype.boxes.values import LEAST_TIGHT, Corners, Drawn, Judged, Kind
from holotype.consensus.votes import Answer
from holotype.crowd.gold import PASS_SHARE, balanced, draw
from holotype.crowd.lessons import LEAST
from holotype.geometry.boxes import SAME, iou

SCHOOL: Final = "training-boxes"
"""The crowd that pages are remembered for on which people learn to draw and judge boxes."""
ASKED: Final = {Kind.DRAW: 6, Kind.QUALITY: 10, Kind.COVERAGE: 8}
"""Questions of a lesson of each kind, where there is so much gold; `LEAST` are needed."""
TOUCHING: Final = 0.2
"""The intersection over union from which a box is taken for a loose one of an instance, not one of something else."""
INSIDE: Final = 0.7
"""The share of an instance's box from which it is taken to be inside of a drawing."""


class Mark(StrEnum):
    """What is said of a drawing where the boxes are known: it is right; it is bad for a `Reason`; an instance was
    ``missed`` where somebody said that nothing is left."""

    RIGHT = "right"
    LOOSE = "loose"
    WRONG = "wrong"
    REPEATED = "repeated"
    SEVERAL = "several"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Exercise:
    """A picture to draw on whose boxes are known: those `shown`, and those `left` to draw, which may be none."""

    shown: tuple[Corners, ...]
    left: tuple[Corners, ...]


def exercise(boxes: Sequence[Corners], key: str, is_done: bool) -> Exercise:
    """The exercise that a picture with these boxes is at a page with the id `key`: some are shown, and one or more are
    left to draw unless it `is_done`; which follows from the key."""
    order = sorted(boxes, key=lambda box: draw(key, box))
    shown = len(order) if is_done or not order else draw(key) % len(order)
    return Exercise(tuple(order[:shown]), tuple(order[shown:]))


def lesson_pages(worker: str, kind: Kind, attempt: int, count: int) -> list[str]:
    """The ids of the pages of a worker's attempt, from 0, at a lesson of so many questions: to draw, one for each."""
    digest = f"{draw(worker, kind, attempt):016x}"
    return [f"{kind}-000-{digest}-{step}" for step in range(count if kind is Kind.DRAW else 1)]


def is_done_step(page: str, count: int) -> bool:
    """Whether on this page of a lesson of so many drawings nothing is left to draw: on one of them."""
    head, _, step = page.rpartition("-")
    return int(step) == draw(head, "done") % count


def lesson_questions(gold: Mapping[int, bool], kind: Kind, key: str) -> tuple[int, ...]:
    """The questions of a lesson, by `gold` of its kind: from one half of it, for the other half is to be asked; none
    where there is too little, or only one answer where both are to be told apart.

    To draw, `gold` are questions of coverage whose boxes are all there are, and all of them serve.
    """
    if kind is Kind.DRAW:
        chosen = sorted(gold, key=lambda number: draw(key, number))[: ASKED[kind]]
        return tuple(chosen) if len(chosen) >= LEAST else ()
    size = min(ASKED[kind], len(gold) // 2)
    if size < LEAST or len(set(gold.values())) < 2:
        return ()
    return tuple(sorted(balanced(gold, key)[:size], key=lambda number: draw(key, number, "order")))


def mark_drawing(drawn: Drawn, known: Exercise) -> Mark:
    """What is said of a drawing: it is right where it is tight round a box that is left (`LEAST_TIGHT`), or where
    nothing is left and that is said."""
    if drawn.box is None:
        return Mark.MISSED if known.left else Mark.RIGHT
    left, shown = _overlaps(drawn.box, known.left), _overlaps(drawn.box, known.shown)
    best = max(left, default=0.0)
    if best >= LEAST_TIGHT:
        return Mark.RIGHT
    if max(shown, default=0.0) >= max(best, SAME):
        return Mark.REPEATED
    if sum(_share_inside(box, drawn.box) >= INSIDE for box in (*known.left, *known.shown)) > 1:
        return Mark.SEVERAL
    return Mark.LOOSE if best >= TOUCHING else Mark.WRONG


def _overlaps(box: Corners, others: Sequence[Corners]) -> list[float]:
    if not others:
        return []
    found = iou(np.array(box, np.float64), np.array(others, np.float64), inclusive=True)
    return [float(one) for one in np.atleast_1d(found)]


def _share_inside(box: Corners, outer: Corners) -> float:
    """The share of a box's pixels that lie in another."""
    wide = min(box[2], outer[2]) - max(box[0], outer[0]) + 1
    high = min(box[3], outer[3]) - max(box[1], outer[1]) + 1
    return max(wide, 0) * max(high, 0) / ((box[2] - box[0] + 1) * (box[3] - box[1] + 1))


def mark_answer(judged: Judged, is_yes: bool) -> bool:
    """Whether an answer is right; unsure is not."""
    return judged.answer is (Answer.YES if is_yes else Answer.NO)


def passes(correct: int, asked: int) -> bool:
    """Whether so many right answers suffice: 5 of 6, and as many of others (`PASS_SHARE`)."""
    return asked > 0 and correct >= PASS_SHARE * asked
