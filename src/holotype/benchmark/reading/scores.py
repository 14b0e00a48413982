"""The five best classes of scores, with ties that no order of rows, batch or machine decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from holotype.benchmark.values import MISSING, Bools, Ints

GUESSES = 5
_ROWS = 512
"""Rows that are looked at together: their scores stay in the cache."""


def best(scores: npt.NDArray[Any], guesses: int = GUESSES) -> tuple[Ints, Bools]:
    """The classes of the highest `scores` ``(rows, classes)``, best first, `MISSING` where there are fewer classes.

    Equal scores go to the class that comes first. Also which rows have equal ones among those, or just behind.
    """
    rows, classes = scores.shape
    found = np.full((rows, guesses), MISSING, np.int64)
    tied = np.zeros(rows, np.bool_)
    for start in range(0, rows, _ROWS):
        part = slice(start, start + _ROWS)
        found[part, : min(guesses, classes)], tied[part] = _best(scores[part], min(guesses, classes))
    return found, tied


def _best(scores: npt.NDArray[Any], count: int) -> tuple[Ints, Bools]:
    rows, classes = scores.shape
    if not count:
        return np.empty((rows, 0), np.int64), np.zeros(rows, np.bool_)
    least = np.partition(scores, classes - count, axis=1)[:, classes - count]
    candidates = scores >= least[:, None]
    many = candidates.sum(axis=1) > count
    found = np.empty((rows, count), np.int64)
    found[~many] = np.nonzero(candidates[~many])[1].reshape(-1, count)
    for row in np.flatnonzero(many).tolist():
        above = np.flatnonzero(scores[row] > least[row])
        level = np.flatnonzero(scores[row] == least[row])[: count - len(above)]
        found[row] = np.sort(np.append(above, level))
    values = np.take_along_axis(scores, found, axis=1)
    ranked = np.argsort(-values.astype(np.float64), axis=1, kind="stable")
    ordered = np.take_along_axis(values, ranked, axis=1)
    tied = many | (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    return np.take_along_axis(found, ranked, axis=1), tied
