"""The segments that selective search begins with, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from holotype.geometry.values import Floats, Ints

_SIGMA: Final = 0.8
_COLOUR_BINS: Final = 25
_TEXTURE_BINS: Final = 10
_DIRECTIONS: Final = 8
_STEEPEST: Final = 60.0
"""Grey levels a pixel from which a slope falls into the last bin of textures."""


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Parts of a picture of `area` pixels in all, ``(segments,)`` each: their `size` in pixels, `boxes`
    ``(segments, 4)`` in inclusive pixels, histograms of `colour` and `texture` ``(segments, bins)``, whose rows sum up
    to 1, and which of them are `near`, side by side, ``(segments, segments)``."""

    area: int
    size: Ints
    boxes: Ints
    colour: Floats
    texture: Floats
    near: npt.NDArray[np.bool_]


def segments_of(levels: npt.NDArray[np.uint8], scale: int) -> Segments:
    """The segments of a picture ``(height, width, channels)`` (Felzenszwalb and Huttenlocher, IJCV 2004): `scale` is
    their ``k``, and the fewest pixels that one has."""
    from skimage.segmentation import felzenszwalb

    found = felzenszwalb(levels, scale=scale, sigma=_SIGMA, min_size=scale, channel_axis=2)
    labels = np.asarray(found, np.int64)
    count = int(labels.max()) + 1
    size = np.bincount(labels.ravel(), minlength=count)
    colours = [levels[:, :, channel].astype(np.int64) * _COLOUR_BINS // 256 for channel in range(levels.shape[2])]
    slopes = [slope for channel in range(levels.shape[2]) for slope in _slopes(levels[:, :, channel])]
    return Segments(
        labels.size,
        size,
        _boxes(labels, count),
        _histograms(labels, count, colours, _COLOUR_BINS),
        _histograms(labels, count, slopes, _TEXTURE_BINS),
        _near(labels, count),
    )


def _slopes(channel: npt.NDArray[np.uint8]) -> list[Ints]:
    """How steeply a channel rises in each of eight directions, by Gaussian derivatives of scale 1, in bins."""
    smooth = cv2.GaussianBlur(channel.astype(np.float32), (0, 0), 1.0)
    across, down = (cv2.Scharr(smooth, cv2.CV_32F, *by, scale=1 / 32) for by in ((1, 0), (0, 1)))
    angles = np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS
    rises = [across * np.float32(np.cos(angle)) + down * np.float32(np.sin(angle)) for angle in angles]
    return [np.clip(rise * (_TEXTURE_BINS / _STEEPEST), 0, _TEXTURE_BINS - 1).astype(np.int64) for rise in rises]


def _histograms(labels: Ints, count: int, binned: list[Ints], bins: int) -> Floats:
    """The histograms of all channels side by side, a row a segment."""
    each = [
        np.bincount((labels * bins + channel).ravel(), minlength=count * bins).reshape(count, bins)
        for channel in binned
    ]
    rows = np.concatenate(each, axis=1).astype(np.float64)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _boxes(labels: Ints, count: int) -> Ints:
    height, width = labels.shape
    boxes = np.empty((count, 4), np.int64)
    for axis, grid in enumerate(np.meshgrid(np.arange(width), np.arange(height))):
        first, last = np.full(count, max(height, width)), np.full(count, -1)
        np.minimum.at(first, labels.ravel(), grid.ravel())
        np.maximum.at(last, labels.ravel(), grid.ravel())
        boxes[:, axis], boxes[:, axis + 2] = first, last
    return boxes


def _near(labels: Ints, count: int) -> npt.NDArray[np.bool_]:
    near = np.zeros((count, count), np.bool_)
    for one, other in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        near[one.ravel(), other.ravel()] = True
    near |= near.T
    np.fill_diagonal(near, False)
    return near
