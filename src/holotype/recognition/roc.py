"""Receiver operating characteristics: how well scores tell positives from negatives, at every threshold at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
GRID: Final = np.linspace(0, 1, 201)
"""The shares of negatives at which curves are averaged."""


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """The shares of negatives (`false`) and of positives (`true`) that score at least a threshold, ``(points,)`` each,
    from (0, 0) to (1, 1): one point for each value that scores have, so that ties are straight lines."""

    false: Floats
    true: Floats

    @property
    def auc(self) -> float:
        """The area below: the chance that a positive scores more than a negative, where a tie is half a chance (Mann
        and Whitney 1947)."""
        return float(np.trapezoid(self.true, self.false))


def roc(scores: npt.NDArray[Any], positive: Flags) -> Roc:
    """The curve of scores ``(images,)``, of which some are `positive` ``(images,)``.

    Raises ValueError where all are positive, or none, or a score is no number.

    >>> found = roc(np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False]))
    >>> found.false.tolist(), found.true.tolist(), found.auc
    ([0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0], 0.875)
    """
    positives = int(positive.sum())
    if not 0 < positives < len(positive):
        raise ValueError("a curve needs both positives and negatives")
    if np.isnan(scores).any():
        raise ValueError("a score is no number")
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    true = np.cumsum(positive[order])[last]
    false = last + 1 - true
    return Roc(np.concatenate([[0.0], false / (len(positive) - positives)]), np.concatenate([[0.0], true / positives]))


def averaged(curves: Sequence[Roc]) -> Roc:
    """The mean of curves at each share of negatives (vertical averaging: Fawcett 2006, section 8), on `GRID`.

    Its area differs from the mean of their areas by what the grid leaves out: report the latter.
    """
    false = np.concatenate([[0.0], GRID])
    return Roc(false, np.concatenate([[0.0], np.mean([_at_grid(one) for one in curves], axis=0)]))


def _at_grid(curve: Roc) -> Floats:
    """The shares of positives at the grid: at a vertical part of the curve, its upper end."""
    at = np.searchsorted(curve.false, GRID, side="right") - 1
    following = np.minimum(at + 1, len(curve.false) - 1)
    width = curve.false[following] - curve.false[at]
    part = np.divide(GRID - curve.false[at], width, out=np.zeros_like(GRID), where=width > 0)
    found: Floats = curve.true[at] + part * (curve.true[following] - curve.true[at])
    return found
