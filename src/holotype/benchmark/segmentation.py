"""Segmentation: which pixels are of what, by pixels alone and object by object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.detection import coco
from holotype.benchmark.detection.overlaps import Overlaps, canonical_order, joined, keys, ordered
from holotype.benchmark.detection.rules import mean_known
from holotype.benchmark.judged import Metric, share
from holotype.benchmark.values import Boxes, Detections, Floats, Ints
from holotype.geometry.boxes import SAME
from holotype.geometry.masks import Bits, Masks

PIXEL_IOU: Final = Metric(
    "pixel IoU",
    "higher",
    "mean over classes of common by united pixels of truth and submission, over all images (Everingham et al., 2010)",
)
METRICS: Final = (*coco.METRICS, PIXEL_IOU)


@dataclass(frozen=True, slots=True, eq=False)
class Outlined:
    """True objects with their masks: `boxes` ``(objects,)``, whose corners are the edges around each mask where they
    are not told, and `masks` ``(objects,)``."""

    boxes: Boxes
    masks: Masks


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Masks that a submission says: what is said of each, in the order of `Detections` with the edges around the mask
    as corners, and `masks` ``(detections,)``."""

    said: Detections
    masks: Masks


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Pixels of each image and class ``(items, classes)``: `common` to truth and submission, and those of either."""

    items: Sequence[str]
    classes: Sequence[str]
    common: Floats
    united: Floats
    metrics: Sequence[Metric] = (PIXEL_IOU,)

    def by_class(self, weights: Floats) -> Floats:
        """The intersection over union of each class ``(rows, classes)``, NaN for one without a pixel in either."""
        return share(weights @ self.common, weights @ self.united)

    def measure(self, weights: Floats) -> Floats:
        """The mean over classes ``(rows, 1)``."""
        return mean_known(self.by_class(weights))[:, None]


def pixels_of_maps(
    items: Sequence[str],
    classes: Sequence[str],
    pairs: Iterable[tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]],
) -> Pixels:
    """What the maps of classes ``(height, width)`` of each item have in common, true and said.

    Numbers are those of classes; pixels whose true number is none of them (a border, 255) do not count, and one that is
    said to be nothing is missed. Intersection over union as PASCAL VOC defines it (Everingham et al., IJCV 2010,
    section 4.4).
    """
    count = len(classes)
    common, united = np.zeros((len(items), count)), np.zeros((len(items), count))
    for item, (true, said) in zip(range(len(items)), pairs, strict=True):
        counted = (true >= 0) & (true < count)
        one, other = true[counted].astype(np.int64), said[counted].astype(np.int64)
        other = np.where((other >= 0) & (other < count), other, count)
        both = np.bincount(one[one == other], minlength=count)
        common[item] = both
        united[item] = np.bincount(one, minlength=count) + np.bincount(other, minlength=count + 1)[:count] - both
    return Pixels(items, classes, common, united)


@dataclass(frozen=True, slots=True, eq=False)
class Segmented:
    """What a submission outlined: its `objects` as COCO counts them, by the overlap of masks, and its `pixels`."""

    objects: coco.CocoDetected
    pixels: Pixels
    metrics: Sequence[Metric] = METRICS

    @property
    def items(self) -> Sequence[str]:
        """The ids of the images."""
        return self.pixels.items

    def measure(self, weights: Floats) -> Floats:
        """COCO's twelve numbers and the pixel IoU ``(rows, 13)``."""
        return np.hstack([self.objects.measure(weights), self.pixels.measure(weights)])


def segmentation(truth: Outlined, submission: Segments) -> Segmented:
    """Match masks as COCO matches boxes, by the intersection over union of their pixels.

    For the pixel IoU, pixels of a class are those of any of its masks, whatever their scores. Those in a crowd, or in a
    pair of image and class that is not scored, do not count.
    """
    boxes, masks = canonical_outlines(truth)
    shape = len(boxes.items), len(boxes.classes)
    common, united = np.zeros(shape), np.zeros(shape)
    found: list[Overlaps] = []
    ignored = {(image, label) for image, label in boxes.ignored.tolist()}
    for image, label, true, said in _same(boxes, submission.said):
        one, other = _bits(masks, true), _bits(submission.masks, said)
        if len(true) and len(said):
            found.append(_overlaps(one, other, true, said, boxes.crowd[true]))
        if (image, label) not in ignored:
            common[image, label], united[image, label] = _pixels(one, other, boxes.crowd[true])
    objects = coco.by_thresholds(boxes, submission.said, joined(found), submission.masks.areas())
    return Segmented(objects, Pixels(boxes.items, boxes.classes, common, united))


def canonical_outlines(truth: Outlined) -> tuple[Boxes, Masks]:
    """The boxes and masks of a truth in an order that follows from what they are alone."""
    first = np.argsort(truth.masks.digests(), kind="stable")
    order = first[canonical_order(ordered(truth.boxes, first))]
    return ordered(truth.boxes, order), truth.masks.take(order)


def segments(image: Ints, label: Ints, score: Floats, masks: Masks) -> Segments:
    """What masks of some images, classes and scores say, in the order of `Segments`."""
    corners = masks.frames()
    order = np.lexsort((masks.digests(), *corners.T[::-1], image, -score, label))
    said = Detections(image[order], label[order], score[order], corners[order])
    return Segments(said, masks.take(order))


def _same(boxes: Boxes, said: Detections) -> Iterator[tuple[int, int, Ints, Ints]]:
    """Each image and class that has masks, with the places of the true ones and of those that are said."""
    items = max(1, len(boxes.items))
    of = keys(boxes, items), keys(said, items)
    both = np.unique(np.concatenate(of))
    orders = [np.argsort(one, kind="stable") for one in of]
    bounds = [
        np.searchsorted(one[order], np.append(both, both[-1:] + 1)) for one, order in zip(of, orders, strict=True)
    ]
    for key, true, told in zip(both.tolist(), pairwise(bounds[0]), pairwise(bounds[1]), strict=True):
        yield key % items, key // items, orders[0][slice(*true)], orders[1][slice(*told)]


def _bits(masks: Masks, places: Ints) -> Bits:
    return masks.bits(places) if len(places) else np.zeros((0, 1), np.uint8)


def _overlaps(one: Bits, other: Bits, true: Ints, said: Ints, crowd: npt.NDArray[np.bool_]) -> Overlaps:
    """The pairs that overlap by half or more; with a crowd, by half of the mask that is said."""
    common = np.stack([np.bitwise_count(other & mask).sum(axis=1, dtype=np.int64) for mask in one], axis=1)
    own = np.bitwise_count(other).sum(axis=1, dtype=np.int64)[:, None]
    united = np.where(crowd, own, own + np.bitwise_count(one).sum(axis=1, dtype=np.int64) - common)
    found = np.divide(common, united, out=np.zeros(common.shape), where=common > 0)
    detection, box = np.nonzero(found >= SAME)
    return Overlaps(said[detection], true[box], found[detection, box])


def _pixels(one: Bits, other: Bits, crowd: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Common and united pixels of what is true and what is said, outside of crowds."""
    true, said, void = (
        np.bitwise_or.reduce(bits, axis=0) if len(bits) else np.uint8(0) for bits in (one[~crowd], other, one[crowd])
    )
    return (
        int(np.bitwise_count(true & said & ~void).sum()),
        int(np.bitwise_count((true | said) & ~void).sum()),
    )
