"""Putting rows, in whatever order they come, where the items of a truth have their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from holotype.benchmark.highest import GUESSES
from holotype.benchmark.reading.faults import SHOWN, Faults, said, some
from holotype.benchmark.values import MISSING, Bools, Boxes, Floats, Guesses, Ints, Labels

EMPTY: Final = "the submission is empty: every image is missed"
ROWS: Final[Mapping[str, str]] = MappingProxyType(
    {"sorted": "by the ids of images", "imagefolder": "by class and then id, as folders of classes are walked"}
)
"""Orders that rows without ids may be in."""


class Placing:
    """Which row each of the `items` has: at most one, and in the end one."""

    def __init__(self, items: Sequence[str], faults: Faults) -> None:
        self.items, self.faults = items, faults
        self.row_of = np.zeros(len(items), np.int64)

    def place(self, items: Ints, rows: Ints) -> Bools:
        """Note that `items` have these `rows`; which of them are the first, the others are faults."""
        fresh = self.row_of[items] == 0
        _, firsts = np.unique(items, return_index=True)
        first = np.zeros(len(items), np.bool_)
        first[firsts] = True
        kept = fresh & first
        self.row_of[items[kept]] = rows[kept]
        unit = self.faults.unit
        self.faults.mark(
            rows,
            ~kept,
            lambda at: f"image {said(self.items[items[at]])} stands in {unit} {self.row_of[items[at]]} already",
        )
        return np.asarray(kept)

    def check(self, positional: bool = False) -> bool:
        """Whether there are any rows. Raises `PredictionError` for faults, and where there are, but not for all."""
        self.faults.check()
        missing = np.flatnonzero(self.row_of == 0)
        if len(missing) == len(self.items):
            return False
        if len(missing) and positional:
            self.faults.stop(f"{len(self.items) - len(missing):,} rows, but {len(self.items):,} images, in this order")
        if len(missing):
            names = some(self.items[at] for at in missing[: SHOWN + 1].tolist())
            self.faults.stop(f"{len(missing):,} of {len(self.items):,} images have no row: {names}")
        return True


def grouped(items: Ints, keys: Sequence[Floats]) -> tuple[Ints, Ints]:
    """An order by item and then `keys`, and the place of each row among those of its item."""
    ranked = np.lexsort([*reversed(keys), items])
    ordered = items[ranked]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, np.int64)
    place = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.append(starts, len(ordered))))
    return ranked, place


def row_places(truth: Labels | Boxes, rows: str, faults: Faults) -> Ints:
    """The number of the image that each row without an id is for. Raises `PredictionError` for no such order."""
    if rows in ("", "sorted"):
        return np.arange(len(truth.items))
    if rows != "imagefolder":
        faults.stop(f"there is no order of rows {said(rows)}, but {', '.join(ROWS)}")
    labels = single_labels(truth)
    if (labels == MISSING).any():
        faults.stop("images have no class or several, so they are in no folder: name the image of each row")
    return np.lexsort([np.arange(len(labels)), labels])


def single_labels(truth: Labels | Boxes) -> Ints:
    """The one class of each item, `MISSING` for those that have none or several."""
    found = np.full(len(truth.items), MISSING, np.int64)
    found[truth.image] = truth.label
    found[truth.image[found[truth.image] != truth.label]] = MISSING
    return found


def nothing(items: int) -> Guesses:
    """The guesses of a submission that makes none."""
    return Guesses(np.full((items, GUESSES), MISSING, np.int64), remarks=(EMPTY,))
