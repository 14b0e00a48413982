"""What whoever hands something in may know of a hidden truth: its ids and classes, and nothing of which is where.

A submission that is read for this is the same as one that is read for the truth, unless the order of its class numbers
has to be detected: whoever hands it in has to tell it then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from holotype.benchmark.values import Boxes, Labels

Truth = TypeVar("Truth", Labels, Boxes)
_NONE = np.empty(0, np.int64)


def bare(truth: Truth) -> Truth:
    """The truth without its labels and boxes."""
    if isinstance(truth, Labels):
        return replace(truth, image=_NONE, label=_NONE)
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
