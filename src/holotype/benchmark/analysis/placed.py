"""What can be told of images and classes from their true boxes: clutter, scale, chance of localisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holotype.benchmark.judged import share
from holotype.benchmark.values import Boxes, Floats, Ints


def boxes_per_image(truth: Boxes) -> Ints:
    """How many true boxes, of whatever class, each image has ``(items,)``: a plain measure of clutter."""
    return np.bincount(truth.image, minlength=len(truth.items))


def scales(truth: Boxes) -> Floats:
    """The share of its image that each box takes ``(boxes,)`` ("object scale", Russakovsky et al., ICCV 2013, 3.2);
    where the sizes of images are not known, the side in pixels of a square as large as the box."""
    width = truth.corners[:, 2] - truth.corners[:, 0] + truth.inclusive
    height = truth.corners[:, 3] - truth.corners[:, 1] + truth.inclusive
    if truth.sizes is None:
        return np.asarray(np.sqrt(width * height), np.float64)
    return np.minimum(share(width * height, truth.sizes[truth.image].prod(axis=1)), 1)


def of_images(truth: Boxes, values: Floats) -> Floats:
    """The mean of what boxes have ``(boxes,)`` in each image ``(items,)``, NaN for one without boxes."""
    return _means(truth.image, values, len(truth.items))


def of_classes(truth: Boxes, values: Floats) -> Floats:
    """The mean of what boxes have ``(boxes,)`` in each class ``(classes,)``, NaN for one without boxes."""
    return _means(truth.label, values, len(truth.classes))


def instances(truth: Boxes) -> Floats:
    """How many boxes of each class there are in an image that has any ``(classes,)``, NaN for a class without boxes."""
    pairs = np.unique(truth.image * len(truth.classes) + truth.label)
    images = np.bincount(pairs % max(1, len(truth.classes)), minlength=len(truth.classes))
    return share(np.bincount(truth.label, minlength=len(truth.classes)), images)


def _means(group: Ints, values: Floats, groups: int) -> Floats:
    known = ~np.isnan(values)
    return share(np.bincount(group[known], values[known], groups), np.bincount(group[known], minlength=groups))


def aligned(values: Floats | Ints, names: Sequence[str], wanted: Sequence[str]) -> Floats:
    """What things called `names` have, in the order of those `wanted`; NaN for one that is not among them."""
    place = {name: at for at, name in enumerate(names)}
    found = np.append(values.astype(np.float64), np.nan)
    return np.asarray(found[[place.get(name, len(values)) for name in wanted]], np.float64)
