"""Histograms and medians of values that come with counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram: what it is called and how many are in it."""

    label: str
    count: int


def histogram(
    values: npt.ArrayLike, counts: npt.ArrayLike, edges: Sequence[float], labels: Sequence[str]
) -> tuple[Bin, ...]:
    """How many of `values`, each there `counts` times, lie in each bin.

    Bin ``i`` is from ``edges[i]`` up to and without ``edges[i + 1]``. The last is open, and the first takes all below.

    >>> histogram([1, 4, 9], [1, 1, 5], edges=(0, 5), labels=("few", "many"))
    (Bin(label='few', count=2), Bin(label='many', count=5))
    """
    place = np.maximum(np.searchsorted(edges, values, side="right") - 1, 0)
    found = np.zeros(len(edges), np.int64)
    np.add.at(found, place, np.asarray(counts, np.int64))
    return tuple(Bin(label, count) for label, count in zip(labels, found.tolist(), strict=True))


def ranges_of(edges: Sequence[int]) -> tuple[str, ...]:
    """The names of bins of whole numbers.

    >>> ranges_of((1, 2, 10))
    ('1', '2–9', '10+')
    """
    named = [f"{low:,}" if high == low + 1 else f"{low:,}–{high - 1:,}" for low, high in pairwise(edges)]
    return (*named, f"{edges[-1]:,}+")


def median(values: npt.ArrayLike, counts: npt.ArrayLike) -> int:
    """The lower median of whole `values`, each there `counts` times, fewer than 2**53 in all."""
    return int(np.quantile(np.asarray(values), 0.5, weights=np.asarray(counts), method="inverted_cdf"))
