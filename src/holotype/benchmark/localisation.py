"""Localisation: a guess is right where its class and its box are, as ``eval_clsloc.m`` of ILSVRC's devkits has it."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from holotype.benchmark.judged import Means, Metric, share
from holotype.benchmark.values import Bools, Boxes, Floats, Ints, Places
from holotype.geometry.boxes import SAME, iou
from holotype.statistics.objects import chance_of_localisation, in_image

LOCALISATION: Final = Metric(
    "localisation error",
    "lower",
    "share of images without a guess of five that has the class and IoU >= 0.5 with a box of it (ILSVRC 2012-15)",
)
LOCALISATION_1: Final = Metric(
    "localisation error@1", "lower", "share of images whose first guess has a wrong class, or IoU < 0.5 with its boxes"
)
TOP_5: Final = Metric("top-5 error", "lower", "share of images whose class is not among five guesses (ILSVRC)")
TOP_1: Final = Metric("top-1 error", "lower", "share of images whose class is not the first guess (ILSVRC)")
METRICS: Final = (LOCALISATION, LOCALISATION_1, TOP_5, TOP_1)


def localisation(truth: Boxes, places: Places) -> Means:
    """The errors of guesses with boxes, by image.

    A guess is right where any box of its class in the image overlaps with it by IoU >= 0.5, and one that repeats a
    class may bring another box. Images that are `unplaced` (the devkit's blacklist) leave numerator and denominator of
    localisation, and stay in those of classification; images without any box leave both. Where an image has boxes of
    several classes, its error is the share of them that were missed, as in ``eval_flat.m``.
    Source: ``eval_clsloc.m``; Russakovsky et al., IJCV 2015, section 4.2.
    """
    named = places.guesses[truth.image] == truth.label[:, None]
    placed = named & (iou(places.corners[truth.image], truth.corners[:, None], truth.inclusive) >= SAME)
    errors = [_missed(truth, right[:, :guesses]) for right in (placed, named) for guesses in (right.shape[1], 1)]
    values = np.stack(errors, axis=1)
    values[truth.unplaced, :2] = np.nan
    return Means(truth.items, METRICS, values)


def by_class(truth: Boxes, judged: Means) -> Floats:
    """The mean of each metric over the images that have a class ``(classes, metrics)``, NaN where none counts."""
    image, label = _pairs(truth)
    values = judged.values[image]
    counted = ~np.isnan(values)
    has = np.stack([np.bincount(label, column, len(truth.classes)) for column in counted.T], axis=1)
    total = [np.bincount(label, column, len(truth.classes)) for column in np.where(counted, values, 0).T]
    return share(np.stack(total, axis=1), has)


def chance(truth: Boxes, seed: int = 0) -> Floats:
    """What localises each class by chance ``(classes,)``: how often a box of the class, put on another image of it,
    overlaps the box there by IoU >= 0.5; NaN where sizes of images are not known or there are fewer than two boxes.

    The "chance performance of localization" of Russakovsky et al., ICCV 2013, section 3.3 (see
    `holotype.statistics.objects.chance_of_localisation`): a class in which it is high is localised without looking.
    """
    found = np.full(len(truth.classes), np.nan)
    if truth.sizes is None:
        return found
    last = int(truth.inclusive) - 1
    boxes, sizes = truth.corners + np.array([0, 0, last, last]), truth.sizes[truth.image]
    order = np.argsort(truth.label, kind="stable")
    bounds = np.searchsorted(truth.label[order], np.arange(len(truth.classes) + 1))
    for label, (start, end) in enumerate(pairwise(bounds)):
        one = order[start:end]
        value = chance_of_localisation(in_image(boxes[one], sizes[one]), seed)
        found[label] = np.nan if value is None else value
    return found


def _pairs(truth: Boxes) -> tuple[Ints, Ints]:
    """Image and label of each pair of them that has boxes, sorted."""
    keys = np.unique(truth.image * len(truth.classes) + truth.label)
    return keys // max(1, len(truth.classes)), keys % max(1, len(truth.classes))


def _missed(truth: Boxes, right: Bools) -> Floats:
    """The share of the classes of each image ``(items,)`` of which no box is `right` ``(boxes, guesses)``."""
    keys, pair = np.unique(truth.image * len(truth.classes) + truth.label, return_inverse=True)
    found = np.bincount(pair, right.any(axis=1), len(keys)) > 0
    image = keys // max(1, len(truth.classes))
    classes = np.bincount(image, minlength=len(truth.items))
    misses = np.bincount(image, ~found, len(truth.items))
    return share(misses, classes)
