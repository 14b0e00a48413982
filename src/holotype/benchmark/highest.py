"""Guesses from scores: the classes with the highest, best first."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.values import MISSING, Bools, Ints

GUESSES: Final = 5
"""Guesses that are scored; more are not looked at, fewer are misses."""
_AT_ONCE: Final = 1 << 18
"""Scores that are looked through at a time: what a processor's cache holds."""


def highest(scores: npt.NDArray[Any], count: int = GUESSES) -> tuple[Ints, Bools]:
    """The `count` classes with the highest `scores` ``(items, classes)`` of each item, best first, and for which items
    a tie decided: equal scores go to the class that comes first.

    `MISSING` fills up where there are fewer classes. Scores are finite. That equal scores go to the first class, and
    are told, is ours: libraries differ (``torch.topk`` promises no order).
    """
    items, classes = scores.shape
    found = np.full((items, count), MISSING, np.int64)
    tied = np.zeros(items, np.bool_)
    kind = np.result_type(scores.dtype, np.float32)  # what is finer stays so
    step = max(1, _AT_ONCE // max(1, classes))
    for start in range(0, items, step):
        some = slice(start, start + step)
        tied[some] = _take(scores[some].astype(kind), found[some])
    return found, tied


def _take(left: npt.NDArray[np.floating[Any]], found: Ints) -> Bools:
    """Write the best classes of a few items to `found`, crossing them out in `left`; which items had ties."""
    rows = np.arange(len(left))
    last = np.full(len(left), np.nan, left.dtype)
    ties = np.zeros(len(left), np.bool_)
    for rank in range(min(found.shape[1] + 1, left.shape[1])):
        best = left.argmax(axis=1)
        value = left[rows, best]
        ties |= value == last
        last = value
        if rank < found.shape[1]:
            found[:, rank] = best
            left[rows, best] = -np.inf
    return ties
