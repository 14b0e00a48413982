"""Parts that follow from a value of each image or class: equal shares of numbers, ranges of counts, names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from holotype.benchmark.values import Bools, Floats, Ints

SHARES: Final = 5
"""Parts into which numbers are divided, as ILSVRC's analysis has XS, S, M, L and XL."""


def fifths(values: Floats, percent: bool = False) -> dict[str, Bools]:
    """Parts of about equally many, from the smallest numbers to the largest; NaN is in none.

    Equal numbers are in the same part, so there may be fewer.

    >>> {name: int(part.sum()) for name, part in fifths(np.array([1, 1, 1, 1, 2, 3, 4, 5.0])).items()}
    {'1': 4, '2': 1, '3 to 4': 2, '5': 1}
    """
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return {}
    edges = np.unique(known[np.ceil(np.arange(1, SHARES + 1) / SHARES * len(known)).astype(int) - 1])
    found = {}
    for low, high in pairwise([-np.inf, *edges.tolist()]):
        part = (values > low) & (values <= high)
        inside = values[part]
        found[_range(float(inside.min()), float(inside.max()), percent)] = part
    return found


def _range(low: float, high: float, percent: bool) -> str:
    names = [f"{100 * end:.3g} %" if percent else f"{end:,.4g}" for end in (low, high)]
    return names[0] if names[0] == names[1] else f"{names[0]} to {names[1]}"


def counted(values: Ints | Floats, edges: Sequence[int]) -> dict[str, Bools]:
    """Parts by whole numbers: from each edge up to the next, the last one open; NaN is in none.

    >>> {name: part.tolist() for name, part in counted(np.array([1, 2, 9]), (1, 2, 4)).items()}
    {'1': [True, False, False], '2 to 3': [False, True, False], '4 or more': [False, False, True]}
    """
    found = {
        str(low) if high == low + 1 else f"{low} to {high - 1}": _between(values, low, high)
        for low, high in pairwise(edges)
    }
    return {**found, f"{edges[-1]} or more": values >= edges[-1]}


def _between(values: Ints | Floats, low: int, high: int) -> Bools:
    return np.asarray((values >= low) & (values < high), np.bool_)


def named(values: Sequence[str]) -> dict[str, Bools]:
    """A part for each value but "", in alphabetical order."""
    array = np.array(values, np.object_)
    return {value: np.asarray(array == value, np.bool_) for value in sorted(set(values) - {""})}
