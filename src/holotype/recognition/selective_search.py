"""Selective search: where objects may be, by grouping what looks alike (Uijlings et al., IJCV 2013)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from holotype.geometry.boxes import non_maximum_suppression
from holotype.geometry.values import Floats, Ints
from holotype.images.flatten import Pixels
from holotype.recognition.grouping import grouped
from holotype.recognition.segments import Segments, segments_of

Mode = Literal["single", "fast", "quality"]
Colours = Literal["hsv", "lab", "rgi", "hue", "grey"]


@dataclass(frozen=True, slots=True)
class Strategies:
    """The ways to group that are put together: every colour space, scale of the first segments (``k`` of Felzenszwalb
    and Huttenlocher, IJCV 2004) and set of likenesses, of (c)olour, (t)exture, (s)ize and (f)illing."""

    colours: tuple[Colours, ...]
    scales: tuple[int, ...]
    likenesses: tuple[str, ...]


MODES: Final[dict[Mode, Strategies]] = {
    "single": Strategies(("hsv",), (100,), ("ctsf",)),
    "fast": Strategies(("hsv", "lab"), (50, 100), ("ctsf", "tsf")),
    "quality": Strategies(("hsv", "lab", "rgi", "hue", "grey"), (50, 100, 150, 300), ("ctsf", "tsf", "f", "s")),
}
"""Those of the paper, section 5.3, table 6: 1, 8 and 80 strategies."""

SIDE: Final = 200
"""The longer side in pixels that pictures are looked at, larger ones being made smaller."""
LIMIT: Final = 2000
ALIKE: Final = 0.7
"""Boxes that overlap one before them by more come behind all others: a few boxes then find more objects."""
_LAST: Final = np.array([0.0, 0, 1, 1])
_LEAST: Final = 8
"""The pixels that both sides of a box have at least, of the picture as it is looked at."""


def selective_search(image: Pixels, mode: Mode = "fast", limit: int = LIMIT, side: int = SIDE, seed: int = 0) -> Floats:
    """Boxes ``(boxes, 4)`` where objects may be, at most `limit`, the likeliest first: left, top, right and bottom edge
    in inclusive pixels of an image ``(height, width, 3)``, each once. There is always one, the whole picture.

    Segments are merged, the most alike first, until one is left, and the box of each that comes to be is one. Those of
    all strategies come by their place from the top of their hierarchy, times a random number that follows from `seed`
    (section 3.4); here those that are much like one before them come last. The picture is looked at with a longer side
    of at most `side` pixels.

    Raises ValueError for a mode that there is not, or a limit or side below 1.
    """
    if mode not in MODES or limit < 1 or side < 1:
        modes = ", ".join(MODES)
        raise ValueError(f"a mode is one of {modes}, limit and side at least 1: not {mode!r}, {limit}, {side}")
    height, width = image.shape[:2]
    small = _shrunk(image, side)
    boxes, order = (np.concatenate(parts) for parts in zip(*_hierarchies(small, MODES[mode], seed), strict=True))
    boxes = boxes[np.argsort(order, kind="stable")]
    large = (boxes[:, 2:] - boxes[:, :2] + 1).min(axis=1) >= _LEAST
    whole = np.array([[0, 0, small.shape[1] - 1, small.shape[0] - 1]])
    boxes = _apart(_once(boxes[large] if large.any() else whole))[:limit]
    return _enlarged(boxes, (width / small.shape[1], height / small.shape[0]))


def _shrunk(image: Pixels, side: int) -> Pixels:
    height, width = image.shape[:2]
    ratio = side / max(height, width)
    if ratio >= 1:
        return image
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _hierarchies(image: Pixels, strategies: Strategies, seed: int) -> Iterator[tuple[Ints, Floats]]:
    """The boxes of each way to group, and a number for each: those with smaller ones come first."""
    random = np.random.default_rng(seed)
    for colours, scale in product(strategies.colours, strategies.scales):
        segments: Segments = segments_of(in_colours(image, colours), scale)
        for likenesses in strategies.likenesses:
            boxes = grouped(segments, likenesses)
            yield boxes, random.random(len(boxes)) * np.arange(len(boxes), 0, -1)


def in_colours(image: Pixels, colours: Colours) -> npt.NDArray[np.uint8]:
    """An image ``(height, width, 3)`` RGB in a colour space, ``(height, width, channels)``, levels from 0 to 255."""
    if colours == "hsv":
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL), np.uint8)
    if colours == "lab":
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)
    if colours == "hue":
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)[:, :, :1], np.uint8)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if colours == "grey":
        return np.asarray(grey[:, :, None], np.uint8)
    sums = np.maximum(image.sum(axis=2, keepdims=True, dtype=np.int64), 1)
    shares = (image[:, :, :2].astype(np.int64) * 255 // sums).astype(np.uint8)
    return np.concatenate([shares, grey[:, :, None]], axis=2)


def _once(boxes: Ints) -> Ints:
    """The boxes, each where it is first."""
    _, first = np.unique(boxes, axis=0, return_index=True)
    return boxes[np.sort(first)]


def _apart(boxes: Ints) -> Ints:
    """The boxes with those that are much like one before them behind the others."""
    corners = boxes.astype(np.float64)
    first = non_maximum_suppression(corners, np.zeros(len(boxes)), ALIKE, inclusive=True)
    return np.concatenate([boxes[first], np.delete(boxes, first, axis=0)])


def _enlarged(boxes: Ints, ratio: tuple[float, float]) -> Floats:
    """Boxes of a picture that was made smaller, in pixels of the picture itself: all those that they touch."""
    scale = np.array([*ratio, *ratio])
    return np.asarray(np.round((boxes + _LAST) * scale) - _LAST)
