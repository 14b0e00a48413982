"""ILSVRC classification metrics: flat and hierarchical error, with bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]

GUESSES: Final = 5
MISSING: Final = -1


@dataclass(frozen=True, slots=True)
class Truth:
    """True labels as pairs: image number ``(pairs,)`` and class number ``(pairs,)``; an image may have several."""

    image: Ints
    label: Ints
    images: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over images and the bounds of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Scores:
    """Errors with 1 to 5 guesses: `flat` and `hierarchical`, five estimates each, over `images` images."""

    images: int
    flat: tuple[Estimate, ...]
    hierarchical: tuple[Estimate, ...]

    @property
    def top1(self) -> Estimate:
        """Flat error with one guess."""
        return self.flat[0]

    @property
    def top5(self) -> Estimate:
        """Flat error with five guesses."""
        return self.flat[-1]


def flat_errors(guesses: Ints, truth: Truth) -> Floats:
    """Flat error of each image with 1 to 5 guesses, ``(images, 5)``: the share of its true labels not guessed.

    `guesses` is ``(images, 5)`` class numbers, best first, `MISSING` where there is none: a missing guess is
    wrong. Source: ILSVRC-2010 devkit, ``eval_flat.m``; Russakovsky et al., IJCV 2015, section 4.1.
    """
    missed = np.logical_and.accumulate(guesses[truth.image] != truth.label[:, None], axis=1)
    return _mean_per_image(missed.astype(np.float64), truth)


def hierarchical_errors(guesses: Ints, truth: Truth, cost: Ints) -> Floats:
    """Hierarchical error of each image with 1 to 5 guesses, ``(images, 5)``: the least cost among the guesses.

    `cost` is ``(classes, classes)`` (`Ontology.cost_matrix`), not normalised; a missing guess costs its maximum.
    Source: ILSVRC-2010 devkit, ``eval_hie.m``.
    """
    padded = np.full((len(cost) + 1, len(cost)), cost.max(initial=0), np.int64)
    padded[:-1] = np.where(cost < 0, cost.max(initial=0), cost)
    costs = padded[guesses[truth.image], truth.label[:, None]]
    return _mean_per_image(np.minimum.accumulate(costs, axis=1).astype(np.float64), truth)


def _mean_per_image(errors: Floats, truth: Truth) -> Floats:
    labels = np.bincount(truth.image, minlength=truth.images)
    sums = [np.bincount(truth.image, column, minlength=truth.images) for column in errors.T]
    return np.stack(sums, axis=1) / labels[:, None]


def bootstrap(errors: Floats, resamples: int = 2000, seed: int = 0) -> list[Estimate]:
    """The mean of each column of `errors` ``(images, metrics)`` with its 95 % percentile interval.

    Images are resampled with replacement (Efron and Tibshirani 1993), as for ILSVRC (Russakovsky et al., IJCV
    2015, section 6.1).
    """
    generator = np.random.default_rng(seed)
    count = len(errors)
    means = np.empty((resamples, errors.shape[1]))
    step = max(1, 5_000_000 // count)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        drawn = generator.integers(count, size=(stop - start, count))
        drawn += count * np.arange(stop - start)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=count * (stop - start)).reshape(-1, count)
        means[start:stop] = weights @ errors / count
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return [Estimate(*map(float, found)) for found in zip(errors.mean(axis=0), low, high, strict=True)]


def score(guesses: Ints, truth: Truth, cost: Ints, resamples: int = 2000, seed: int = 0) -> Scores:
    """All metrics of `guesses` ``(images, 5)`` against `truth`; every image needs at least one true label."""
    errors = np.hstack([flat_errors(guesses, truth), hierarchical_errors(guesses, truth, cost)])
    found = bootstrap(errors, resamples, seed)
    return Scores(truth.images, tuple(found[:GUESSES]), tuple(found[GUESSES:]))
