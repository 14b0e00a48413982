"""Robustness: errors on corrupted images beside those of a baseline, and scores compared among some classes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from holotype.benchmark.classification import flat
from holotype.benchmark.hierarchical import within
from holotype.benchmark.highest import GUESSES, highest
from holotype.benchmark.judged import Floats, Metric
from holotype.benchmark.values import MISSING, Guesses, Hierarchy, Ints, Labels
from holotype.errors import PredictionError

ALEXNET: Final[Mapping[str, float]] = MappingProxyType(
    {
        "gaussian_noise": 0.886428,
        "shot_noise": 0.894468,
        "impulse_noise": 0.922640,
        "defocus_blur": 0.819880,
        "glass_blur": 0.826268,
        "motion_blur": 0.785948,
        "zoom_blur": 0.798360,
        "snow": 0.866816,
        "frost": 0.826572,
        "fog": 0.819324,
        "brightness": 0.564592,
        "contrast": 0.853204,
        "elastic_transform": 0.646056,
        "pixelate": 0.717840,
        "jpeg_compression": 0.606500,
    }
)
"""AlexNet's top-1 error on ImageNet-C, the mean over the severities of each corruption: the authors' figures."""


@dataclass(frozen=True, slots=True, eq=False)
class Corrupted:
    """A submission's top-1 errors on corrupted copies of the same images, ``(items, corruptions, severities)``, NaN
    for an item that does not count, and the errors of the `baseline`, of the same shape, or its error by corruption,
    ``(corruptions,)``. `name` says which baseline that is."""

    items: Sequence[str]
    name: str
    errors: Floats
    baseline: Floats

    @property
    def metrics(self) -> Sequence[Metric]:
        """What is measured."""
        about = f"mean over corruptions of the error divided by that of {self.name}, in percent"
        return (Metric(f"mCE ({self.name})", "lower", f"{about} (Hendrycks and Dietterich, ICLR 2019)"),)

    def measure(self, weights: Floats) -> Floats:
        """The mean corruption error ``(rows, 1)``: for each corruption the sum of errors over severities, divided by
        that of the baseline on the same items, then the mean over corruptions, times 100; the baseline has exactly 100.

        Source: Hendrycks and Dietterich, Benchmarking Neural Network Robustness, ICLR 2019, section 4.
        """
        return np.asarray(100 * self.by_corruption(weights).mean(axis=1, keepdims=True))

    def by_corruption(self, weights: Floats) -> Floats:
        """The corruption errors ``(rows, corruptions)``, 1 for those of the baseline."""
        own = _rates(self.errors, weights)
        theirs = _rates(self.baseline, weights) if self.baseline.ndim == 3 else self.baseline[None]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(own / theirs)


def corrupted(
    truth: Labels,
    guesses: Mapping[str, Sequence[Guesses]],
    baseline: Mapping[str, float | Sequence[Guesses]],
    name: str,
) -> Corrupted:
    """What a submission says of corrupted copies of the images of a truth: its guesses by corruption, one for each
    severity. `baseline`, which is called `name`, is by corruption the same, or its error, as `ALEXNET` has it.

    Raises `PredictionError` unless the baseline has the same corruptions, and all have the same severities.
    """
    if set(guesses) != set(baseline):
        raise PredictionError(f"{name} has other corruptions: {', '.join(sorted(set(guesses) ^ set(baseline)))}")
    kinds = sorted(guesses)
    own = [_wrong(truth, guesses[kind]) for kind in kinds]
    theirs = [one if isinstance(one, float) else _wrong(truth, one) for one in (baseline[kind] for kind in kinds)]
    shapes = {np.shape(one) for one in (*own, *theirs)} - {()}
    if len(shapes) != 1 or len({np.shape(one) for one in theirs}) != 1:
        raise PredictionError("all corruptions have the same severities, and a baseline is of one kind")
    stacked = np.array(theirs) if isinstance(theirs[0], float) else np.stack(theirs, axis=1)
    return Corrupted(truth.items, name, np.stack(own, axis=1), stacked)


def _wrong(truth: Labels, severities: Sequence[Guesses]) -> Floats:
    """The top-1 errors ``(items, severities)``."""
    return np.stack([flat(truth, guesses).values[:, 0] for guesses in severities], axis=1)


def _rates(errors: Floats, weights: Floats) -> Floats:
    """The weighted mean error of each corruption, ``(rows, corruptions)``."""
    counted = ~np.isnan(errors[:, 0, 0])
    weights = weights[:, counted]
    with np.errstate(invalid="ignore"):
        return np.asarray(weights @ errors[counted].mean(axis=2) / weights.sum(axis=1, keepdims=True))


def restricted(truth: Labels, guesses: Guesses, classes: Sequence[str]) -> tuple[Labels, Guesses]:
    """Truth and scores of some classes alone: the highest of them are the guesses, as for the 200 classes of
    ImageNet-A and ImageNet-R (Hendrycks et al. 2021). Labels of other classes are left out, and images without others.

    Raises `PredictionError` for guesses without scores, of which one cannot know what comes next; for a class that is
    not one of the truth, or is there twice; and where no image is left.
    """
    if guesses.scores is None:
        raise PredictionError("a submission of guesses cannot be restricted to some classes: that takes their scores")
    kept = np.array([truth.classes.index(name) for name in _known(classes, truth.classes)], np.int64)
    number = np.full(len(truth.classes), MISSING)
    number[kept] = np.arange(len(kept))
    counts = number[truth.label] != MISSING
    images = np.unique(truth.image[counts])
    if not len(images):
        raise PredictionError(f"no image has a label among these {len(kept):,} classes")
    scores = np.ascontiguousarray(guesses.scores[np.ix_(images, kept)])
    best, tied = highest(scores, GUESSES)
    labels = Labels(
        tuple(truth.items[image] for image in images.tolist()),
        tuple(truth.classes[one] for one in kept.tolist()),
        np.searchsorted(images, truth.image[counts]),
        number[truth.label[counts]],
        _of(truth.hierarchy, kept),
    )
    left = len(truth.items) - len(images)
    others = (
        f"; {left:,} image{'s' if left > 1 else ''} of others {'are' if left > 1 else 'is'} left out" if left else ""
    )
    remark = f"compared among {len(kept):,} classes{others}"
    return labels, Guesses(best, scores, 0, int(tied.sum()), (*guesses.remarks, remark))


def _known(classes: Sequence[str], known: Sequence[str]) -> list[str]:
    """The classes, sorted."""
    if strange := sorted(set(classes) - set(known)):
        raise PredictionError(f"{len(strange)} of these {len(classes)} are no classes of the truth: {strange[0]!r}")
    if len(set(classes)) < len(classes):
        twice = next(one for at, one in enumerate(classes) if one in classes[:at])
        raise PredictionError(f"the class {twice!r} is there twice")
    return sorted(classes)


def _of(hierarchy: Hierarchy | None, kept: Ints) -> Hierarchy | None:
    if hierarchy is None:
        return None
    parent = None if hierarchy.parent is None else within(hierarchy.parent, kept)
    nested = parent is not None and (parent != MISSING).any()
    return Hierarchy(hierarchy.cost[np.ix_(kept, kept)], hierarchy.digest, parent if nested else None)
