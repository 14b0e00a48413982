"""A truth without its labels: what readers of submissions get of a hidden one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from holotype.benchmark.values import Boxes, Labels


def without_labels(truth: Any) -> Any:
    """The same items and classes, and no label: so nothing that is said of a submission, and no choice that is made in
    reading it, such as that of an order of classes, follows from one.

    That is so of `Labels` and `Boxes`; of what other tasks have it is not known what in it is hidden, and the truth is
    given as it is.
    """
    none = np.empty(0, np.int64)
    match truth:
        case Labels():
            return replace(truth, image=none, label=none)
        case Boxes():
            bare = replace(truth, corners=np.empty((0, 4)), crowd=np.empty(0, np.bool_), area=np.empty(0))
            return replace(bare, image=none, label=none, ignored=none.reshape(0, 2))
    return truth
