"""What is asked about the boxes of an image, and what people and machines reply."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from holotype.consensus.votes import Answer

Corners = tuple[int, int, int, int]
"""The first and the last column and row of a box, x_min, y_min, x_max, y_max: inclusive pixels of the upright picture,
from 0."""

LEAST_TIGHT: Final = 0.7
"""The intersection over union with a true box from which a drawing is tight enough to train by."""


class Kind(StrEnum):
    """What a question asks: to `DRAW` one more box, whether a drawing is of good `QUALITY`, or whether the boxes shown
    are all there are, `COVERAGE`. `GOLD` is asked of nobody: drawings made for questions whose answers are known."""

    DRAW = "draw"
    QUALITY = "quality"
    COVERAGE = "coverage"
    GOLD = "gold"


class Reason(StrEnum):
    """Why a drawing is bad: not tight, round something else, round what has a box, or round several at once."""

    LOOSE = "loose"
    WRONG = "wrong"
    REPEATED = "repeated"
    SEVERAL = "several"


class Method(StrEnum):
    """How a box was made: four extreme points clicked (Papadopoulos et al., ICCV 2017), dragged, moved by keys or typed
    as numbers; or by a machine."""

    EXTREME = "extreme"
    DRAG = "drag"
    KEYS = "keys"
    NUMBERS = "numbers"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """A question about a candidate's boxes, by its id in the catalog: of a `drawing` (0 but for quality), or of the
    drawings `shown`, sorted."""

    candidate: int
    kind: Kind
    drawing: int = 0
    shown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawn:
    """The reply to a question to draw: a box, or None where nothing is left to draw.

    `points` are the extreme points clicked, in pixels with fractions. `more` says whether another instance has no box.
    Flags say of the instance that it is `truncated` by the picture's edge, `occluded`, or a whole group (`group_of`);
    None where nobody said. `score` is a machine's."""

    box: Corners | None
    method: Method
    points: tuple[tuple[float, float], ...] = ()
    more: bool | None = None
    truncated: bool | None = None
    occluded: bool | None = None
    group_of: bool | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The reply to a question of quality (yes is good) or coverage (yes is complete); a `reason` only where bad."""

    answer: Answer
    reason: Reason | None = None


Reply = Drawn | Judged
