"""How a simulated person judges a drawing, and whether all instances have a box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from holotype.boxes.port import Item
from holotype.boxes.values import LEAST_TIGHT, Corners, Judged, Reason
from holotype.consensus.votes import Answer
from holotype.geometry.boxes import SAME
from holotype.simulation.drawers import Drawer, Drawers, normal_of
from holotype.simulation.drawing import Dice, left, overlaps
from holotype.simulation.workers import draw, log_odds


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is true of a drawing: its intersection over union with the instance that it is of, among those that had no
    box yet, and why it is bad; None where it is accurate."""

    overlap: float
    reason: Reason | None


def verdict(box: Corners, truth: Sequence[Corners], shown: Sequence[Corners]) -> Verdict:
    """What is true of a drawing made with these boxes `shown`.

    It is accurate where its intersection over union with an instance that had no box is `LEAST_TIGHT` or more: no more
    than a small part left out or let in. Su, Deng and Fei-Fei (HCOMP 2012) call a box accurate that is tight round all
    visible parts of one instance, and say that none of theirs was below .5; the .7 is the line below which training
    calls a drawing not tight.
    """
    free = left(truth, shown)
    best = float(overlaps(box, free).max()) if free else 0.0
    if best >= LEAST_TIGHT:
        return Verdict(best, None)
    if shown and overlaps(box, shown).max() >= max(SAME, best):
        return Verdict(best, Reason.REPEATED)
    if sum(_mostly_in(one, box) for one in truth) > 1:
        return Verdict(best, Reason.SEVERAL)
    return Verdict(best, Reason.LOOSE if best >= 0.3 else Reason.WRONG)


def _mostly_in(one: Corners, box: Corners) -> bool:
    """Whether four fifths of a box are inside another."""
    width = min(one[2], box[2]) - max(one[0], box[0]) + 1
    height = min(one[3], box[3]) - max(one[1], box[1]) + 1
    return min(width, height) > 0 and width * height >= 0.8 * (one[2] - one[0] + 1) * (one[3] - one[1] + 1)


def quality(
    drawer: Drawer, population: Drawers, item: Item, truth: Sequence[Corners], dice: Dice, look: float
) -> Judged:
    """A judgement of a drawing's quality; `look` is how it looks to all, in standard deviations."""
    if dice("inattentive") < drawer.inattentive:
        return Judged(Answer.YES) if dice("any") < 0.7 else Judged(Answer.NO, Reason.WRONG)
    true = verdict(item.box or (0, 0, 0, 0), truth, item.shown)
    seen = true.overlap + population.common * look + population.blur * normal_of(dice("seen"))
    fussy = dice("fussy") < population.fussy
    if true.reason in (None, Reason.LOOSE) and seen >= population.strict and not fussy:
        return Judged(Answer.YES)
    return Judged(Answer.NO, true.reason or Reason.LOOSE)


def coverage(
    drawer: Drawer, population: Drawers, item: Item, truth: Sequence[Corners], dice: Dice, hidden: Sequence[float]
) -> Judged:
    """A judgement of whether the boxes shown are all; `hidden` is how each instance looks to all, in standard
    deviations."""
    if dice("inattentive") < drawer.inattentive:
        return Judged(Answer.YES if dice("any") < 0.7 else Answer.NO)
    for box in left(truth, item.shown):
        size = math.sqrt((box[2] - box[0] + 1) * (box[3] - box[1] + 1) / (item.width * item.height))
        odds = log_odds(population.overlooked) + 2 * (0.35 - size) + drawer.blind
        odds += population.hidden * hidden[truth.index(box)]
        if dice("overlooks", box) >= 1 / (1 + math.exp(-odds)):
            return Judged(Answer.NO)
    return Judged(Answer.NO if dice("imagined") < population.imagined else Answer.YES)


def looks(seed: int, sha256: str, box: Corners) -> float:
    """How a drawing or an instance looks to all, in standard deviations."""
    return normal_of(draw(seed, "looks", sha256, box))
