"""The orders in which ILSVRC2012's 1000 classes are numbered: conversion, and detection of mix-ups.

The shipped table holds the classes' wnids in the order of the devkit's ids; all other orders follow from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.values import MISSING
from holotype.errors import PredictionError

Ints = npt.NDArray[np.integer[Any]]

ORDERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "devkit": "ids 1 to 1000 of the ILSVRC2012 devkit and its ground truth files",
        "sorted": "0 to 999 by wnid: torchvision, timm, Keras, Kaggle",
        "string": "0 to 999 of folders named 0 to 999 and sorted as text: ImageFolder on ImageNetV2",
        "background": "1 to 1000 by wnid, 0 is no class: TF-Slim, Inception",
    }
)
"""The orders by name, and who uses them."""

_DOUBT = 1e-6
_LEAD = 2


@dataclass(frozen=True, slots=True)
class Order:
    """A numbering of classes: `wnids` by index, "" where the index is no class."""

    name: str
    wnids: tuple[str, ...]

    def to_wnids(self, indices: Iterable[int]) -> list[str]:
        """The class of each index, "" for -1 (no guess). Raises `PredictionError` for an index that is no class.

        >>> order("sorted").to_wnids([0, 999, -1]), order("devkit").to_wnids([1])
        (['n01440764', 'n15075141', ''], ['n02119789'])
        """
        given = np.array(list(indices), np.int64)
        _check(given, self)
        return [self.wnids[index] if index != MISSING else "" for index in given.tolist()]


@cache
def order(name: str) -> Order:
    """An order by name. Raises `PredictionError` for an unknown one."""
    if name not in ORDERS:
        raise PredictionError(f"there is no class order {name[:40]!r}, but {', '.join(ORDERS)}")
    devkit = resources.files("holotype.benchmark").joinpath("ilsvrc2012.txt").read_text("ascii").split()
    by_wnid = sorted(devkit)
    wnids = {
        "devkit": ["", *devkit],
        "sorted": by_wnid,
        "string": [by_wnid[int(folder)] for folder in sorted(map(str, range(len(by_wnid))))],
        "background": ["", *by_wnid],
    }
    return Order(name, tuple(wnids[name]))


@cache
def _classes(name: str) -> npt.NDArray[np.int64]:
    """The class, as position by wnid, of each index of an order; `MISSING` where there is none, and at the end."""
    by_wnid = {wnid: number for number, wnid in enumerate(order("sorted").wnids)}
    return np.array([by_wnid.get(wnid, MISSING) for wnid in order(name).wnids] + [MISSING])


def _check(indices: Ints, given: Order) -> None:
    valid = np.isin(indices, [index for index, wnid in enumerate(given.wnids) if wnid] + [MISSING])
    if not valid.all():
        index = int(indices[~valid][0])
        others = [name for name in ORDERS if 0 <= index < len(order(name).wnids) and order(name).wnids[index]]
        where = f"it is one in order {' and '.join(others)}" if others else "nor is it in any other"
        raise PredictionError(f"{index} is no class in order {given.name}; {where}")


def _whole(indices: Ints) -> npt.NDArray[np.int64]:
    if not np.issubdtype(indices.dtype, np.integer):
        raise PredictionError(f"class indices are whole numbers, not {indices.dtype}")
    return indices.astype(np.int64)


def convert(indices: Ints, source: str, target: str) -> npt.NDArray[np.int64]:
    """Class indices of order `source` in order `target`, an array of any shape; -1 (no guess) stays.

    Raises `PredictionError` for fractions and for an index that is no class, saying in which order it would be one.

    >>> convert(np.array([[0, -1], [2, 999]]), "sorted", "devkit").tolist()
    [[449, -1], [442, 889]]
    """
    whole = _whole(indices)
    _check(whole, order(source))
    inverse = np.full(len(order("sorted").wnids) + 1, MISSING)
    positions = _classes(target)[:-1]
    inverse[positions[positions >= 0]] = np.flatnonzero(positions >= 0)
    return inverse[_classes(source)[whole]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """In which order predictions are: `found` is its name, "" where it is none, or that cannot be told.

    `top1` is their accuracy on `images` images of `classes` classes, read in each order. `shifted` says what they are
    where they miss an order by one, such as ``devkit minus one``; `top1` then has that reading too.
    """

    declared: str
    found: str
    images: int
    classes: int
    top1: Mapping[str, float]
    shifted: str = ""

    def __str__(self) -> str:
        best, other = sorted(self.top1, key=lambda name: (-self.top1[name], name != self.declared))[:2]
        if self.shifted:
            return (
                f"these predictions look as if they were {self.shifted}: "
                f"top-1 {self._read(self.shifted)}, {self._read(self.declared)}"
            )
        if not self.found:
            return (
                f"the order of these predictions cannot be told from {self.images:,} images of {self.classes:,} "
                f"classes: top-1 {self._read(best)}, {self._read(other)}"
            )
        if self.found == self.declared:
            return f"these predictions are in {best} order, as declared: top-1 {self._read(best)}, {self._read(other)}"
        return (
            f"these predictions look as if they were in {best} order: "
            f"top-1 {self._read(best)}, {self._read(self.declared)}"
        )

    def _read(self, name: str) -> str:
        return f"{100 * self.top1[name]:.1f} % read as {name}"


def detect_order(predictions: Ints, truth: Sequence[str], declared: str) -> Verdict:
    """In which order `predictions` are, ``(images, guesses)`` class indices, best first, against the wnids `truth`.

    A class counts as met in an order if the index guessed most often for its images means it there. In a wrong order
    that happens to one class in a thousand, however good or lopsided the predictions. An order is found if so many
    classes are met by chance less than once in a million, and if its top-1 is at least twice that of every other:
    neighbours by wnid resemble each other, so reading one index beside hits more often than chance. Indices that are
    one less or one more than those of an order are looked for too.

    Raises `PredictionError` for fractions, where the shapes disagree, or a truth is no class of ILSVRC2012.
    """
    from scipy.special import bdtrc

    order(declared)
    labels = _labels(truth)
    if predictions.ndim != 2 or predictions.shape[1] < 1 or len(predictions) != len(labels) or not len(labels):
        raise PredictionError(
            f"predictions of shape {predictions.shape} do not fit the labels of {len(labels):,} images"
        )
    guesses, counts, readings = _whole(predictions[:, 0]), len(order("sorted").wnids), _readings()
    usual = _most_frequent(guesses, labels)
    top1 = {name: float((_read_as(table, guesses) == labels).mean()) for name, table in readings.items()}
    best = max(readings, key=lambda name: (top1[name], name == declared))
    met = int((_read_as(readings[best], usual) == np.unique(labels)).sum())
    by_chance = len(readings) * float(bdtrc(met - 1, len(usual), 1 / counts))
    leads = all(top1[best] >= _LEAD * top1[name] for name in readings if name != best)
    found = best if by_chance < _DOUBT and leads else ""
    shifted = "" if found in ORDERS else found
    told = {name: rate for name, rate in top1.items() if name in ORDERS or name == shifted}
    return Verdict(declared, "" if shifted else found, len(labels), len(usual), MappingProxyType(told), shifted)


@cache
def _readings() -> Mapping[str, npt.NDArray[np.int64]]:
    """The class of each index from -1, `MISSING` at the end, in each order, and one beside it where that is another."""
    found = {name: np.array([MISSING, *_classes(name)]) for name in ORDERS}
    for name in ORDERS:
        beside = {"minus": found[name][1:], "plus": np.array([MISSING, *found[name]])}
        for way, table in beside.items():
            if not any(np.array_equal(_trimmed(table), _trimmed(other)) for other in found.values()):
                found[f"{name} {way} one"] = table
    return MappingProxyType(found)


def _trimmed(table: Ints) -> Ints:
    return np.trim_zeros(table - MISSING, "b")


def _labels(truth: Sequence[str]) -> npt.NDArray[np.int64]:
    by_wnid = {wnid: number for number, wnid in enumerate(order("sorted").wnids)}
    if strange := [wnid for wnid in truth if wnid not in by_wnid]:
        raise PredictionError(f"{strange[0][:40]!r} is no class of ILSVRC2012, so its number has no order")
    return np.array([by_wnid[wnid] for wnid in truth], np.int64)


def _most_frequent(guesses: Ints, labels: Ints) -> npt.NDArray[np.int64]:
    """The most frequent guess for each label that occurs, in the order of `np.unique`; the least of equals."""
    pairs, counts = np.unique(np.stack([labels, guesses]), axis=1, return_counts=True)
    ranked = np.lexsort((pairs[1], -counts, pairs[0]))
    _, first = np.unique(pairs[0, ranked], return_index=True)
    return np.asarray(pairs[1, ranked][first], np.int64)


def _read_as(table: Ints, indices: Ints) -> Ints:
    """The class of each index in a table that begins with that of -1, `MISSING` where it is none."""
    return table[np.where((indices >= -1) & (indices < len(table) - 2), indices + 1, len(table) - 1)]
