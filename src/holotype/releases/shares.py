"""How many images each split is to have: shares of all, or numbers of images that are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.errors import ReleaseError
from holotype.releases.quantities import plural

TRAIN: Final = 0
"""The column of the split that is trained on, in tables with a column per split: train, val, test."""

_TINY: Final = 1e-12
Integers = npt.NDArray[np.int64]
Table = npt.NDArray[np.float64]
"""Numbers of labels, ``(synsets, 3)``."""


@dataclass(frozen=True, slots=True)
class Fractions:
    """The share of images for each split; they sum to 1."""

    train: float = 0.6
    val: float = 0.15
    test: float = 0.25

    def __post_init__(self) -> None:
        shares = (self.train, self.val, self.test)
        if not (min(shares) >= 0 and abs(sum(shares) - 1) <= 1e-9):
            raise ReleaseError(f"the shares of train, val and test must sum to 1, not {shares}")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many images are held out, of `each` synset or else of all together; the rest is trained on, as in ILSVRC.

    Of every synset at least `train` images are trained on, or half of them, rounded up, where that is less. So a synset
    with too few images for all that holds out fewer, in the proportion of `val` and `test`.
    """

    val: int = 50
    test: int = 100
    train: int = 1
    each: bool = True

    def __post_init__(self) -> None:
        if min(self.val, self.test, self.train) < 0:
            raise ReleaseError(f"a split cannot have {plural(min(self.val, self.test, self.train), 'image')}")


Shares = Fractions | Counts


def wanted(shares: Shares, total: Integers, came: Integers, images: int) -> Table:
    """How many labels of each synset each split should have, ``(synsets, 3)``, fractions of one and all.

    `total`, ``(synsets,)``, is how many labels there are, and `came`, ``(synsets, 3)``, how many of them are in a split
    already: they count, and where a split has too many, the others get less. A row sums to its total and no entry is
    below what came. `images` is the number of all images.

    A synset's only image is trained on, unless nothing is to be.

    Raises `ReleaseError` where more images are to be held out than there are.
    """
    held, kept = _held_out(shares, total, images)
    room = total - kept
    asked = held.sum(axis=1)
    held *= np.minimum(1, room / np.maximum(asked, _TINY))[:, None]
    table = np.column_stack([total - held.sum(axis=1), held])
    return _without_excess(table, total, came, kept, gives_first=isinstance(shares, Counts))


def too_few(shares: Shares, total: Integers) -> npt.NDArray[np.bool_]:
    """Which synsets have too few labels for the numbers that are asked of each, ``(synsets,)``."""
    if isinstance(shares, Fractions) or not shares.each:
        return np.zeros(len(total), bool)
    return np.asarray(total < shares.train + shares.val + shares.test)


def _held_out(shares: Shares, total: Integers, images: int) -> tuple[Table, Integers]:
    """How many of each synset are to be held out in val and in test, and how many are trained on first."""
    if isinstance(shares, Fractions):
        kept = np.minimum(total, 1 if shares.train > 0 else 0)
        return np.outer(total, (shares.val, shares.test)).astype(np.float64), kept
    kept = np.asarray(np.minimum(shares.train, (total + 1) // 2), np.int64)
    if shares.each:
        return np.full((len(total), 2), (shares.val, shares.test), np.float64), kept
    if shares.val + shares.test > images:
        raise ReleaseError(
            f"{plural(shares.val, 'image')} cannot be validated on and {shares.test:,} tested on: there are {images:,}"
        )
    return np.outer(total, (shares.val, shares.test)) / max(images, 1), kept


def _without_excess(table: Table, total: Integers, came: Integers, kept: Integers, gives_first: bool) -> Table:
    """The same, but nowhere less than what came: train gives first, or else all others in proportion, but for what is
    `kept` to train on."""
    free = (total - came.sum(axis=1)).astype(np.float64)
    first = np.clip(kept - came[:, TRAIN], 0, free)
    lacking = np.maximum(table - came, 0)
    held = lacking[:, 1:].sum(axis=1)
    if gives_first:
        train = free - np.minimum(held, free - first)
    else:
        train = np.maximum(lacking[:, TRAIN] * free / np.maximum(lacking.sum(axis=1), _TINY), first)
    lacking[:, TRAIN] = train
    lacking[:, 1:] *= ((free - train) / np.maximum(held, _TINY))[:, None]
    return np.asarray(came + lacking, np.float64)
