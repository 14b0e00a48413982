"""What whoever hands something in may know of a hidden truth: its ids and classes, and nothing of which is where.

A submission that is read for this is the same as one that is read for the truth, unless the order of its class numbers
has to be detected: whoever hands it in has to tell it then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from holotype.benchmark.segmentation import Outlined
from holotype.benchmark.values import Boxes, Labels
from holotype.errors import PredictionError
from holotype.geometry.masks import Masks

Truth = TypeVar("Truth", Labels, Boxes, Outlined)
_NONE = np.empty(0, np.int64)


def bare(truth: Truth) -> Truth:
    """The truth without its labels and boxes."""
    if isinstance(truth, Labels):
        return replace(truth, image=_NONE, label=_NONE)
    if isinstance(truth, Outlined):
        return Outlined(bare(truth.boxes), Masks.of([], []))
    return replace(
        truth,
        image=_NONE,
        label=_NONE,
        corners=np.empty((0, 4)),
        crowd=np.empty(0, np.bool_),
        area=np.empty(0),
        ignored=np.empty((0, 2), np.int64),
        unplaced=_NONE,
    )


def check_hidden(truth: Any) -> None:
    """Raise `PredictionError` for a truth that submissions cannot be read for without what it hides.

    Of an image whose size it does not tell, only the masks in it show that, and whether a mask of another size is
    refused would tell that there are some.
    """
    if isinstance(truth, Outlined) and truth.boxes.sizes is None:
        raise PredictionError("a hidden truth of masks has to tell the width and height of every image")
