"""Masks: how many images have, and how large they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.statistics.histogram import Bin, Floats, Ints, histogram, ranges_of

_TENTHS: Final = tuple(n / 10 for n in range(10))
_TENTHS_NAMED: Final = tuple(f"{10 * n}–{10 * n + 10} %" for n in range(10))
_PER_IMAGE: Final = (1, 2, 3, 4, 5, 6, 11, 21)


@dataclass(frozen=True, slots=True)
class ClassMasks:
    """The masks of a class, ``(n,)`` each: the id of the image each is in, the share of the image that it takes, and
    whether it is a crowd."""

    wnid: str
    images: Ints
    shares: Floats
    crowd: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class MaskedClass:
    """A class with masks: `masks` in `images`, of which `crowds` are groups, and the mean `share` of the image that
    one takes."""

    wnid: str
    images: int
    masks: int
    crowds: int
    share: float


@dataclass(frozen=True, slots=True)
class Masked:
    """The masks of all classes: `images` have any, and `per_image` is how many; `share`, of the image that a mask
    takes, is the mean over classes, and `shares` how many masks take so much."""

    images: int
    masks: int
    crowds: int
    mean_per_image: float
    per_image: tuple[Bin, ...]
    shares: tuple[Bin, ...]
    share: float
    classes: tuple[MaskedClass, ...]


def masked(classes: Iterable[ClassMasks], per_image: Mapping[int, int]) -> Masked | None:
    """The masks of `classes`, one after the other; `per_image` is how many images have how many, from 1. None where
    there are no masks.

    >>> found = masked([ClassMasks("a", np.array([1, 1]), np.array([0.2, 0.4]), np.array([True, False]))], {2: 1})
    >>> found.masks, found.crowds, round(found.share, 6), found.mean_per_image
    (2, 1, 0.3, 2.0)
    """
    found, shares = [], np.zeros(len(_TENTHS), np.int64)
    for one in classes:
        shares += [bar.count for bar in histogram(one.shares, np.ones(len(one.shares)), _TENTHS, _TENTHS_NAMED)]
        crowds, mean = int(one.crowd.sum()), float(one.shares.mean())
        found.append(MaskedClass(one.wnid, len(np.unique(one.images)), len(one.images), crowds, mean))
    if not found:
        return None
    numbers, images = np.array([*per_image], np.int64), np.array([*per_image.values()], np.int64)
    return Masked(
        int(images.sum()),
        sum(one.masks for one in found),
        sum(one.crowds for one in found),
        float(numbers @ images) / max(1, int(images.sum())),
        histogram(numbers, images, _PER_IMAGE, ranges_of(_PER_IMAGE)),
        tuple(Bin(*bar) for bar in zip(_TENTHS_NAMED, shares.tolist(), strict=True)),
        sum(one.share for one in found) / len(found),
        tuple(found),
    )
