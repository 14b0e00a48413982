"""How sure a metric is: bootstrap over items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.judged import Floats, Judged, is_linear, measure_all, share
from holotype.engine import map_batches

RESAMPLES: Final = 2000
CONFIDENCE: Final = 0.95
_AT_ONCE: Final = 4_000_000
"""Weights that are held at a time."""
_WORKERS: Final = 2
"""Threads that measure: more would hold more weights, and products are taken on all CPUs as it is."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and the bounds of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What resampling showed of some submissions to the same items: the numbers themselves `points`
    ``(submissions, metrics)``, and those of each resample `samples` ``(resamples, submissions, metrics)``."""

    points: Floats
    samples: Floats

    def estimates(self, confidence: float = CONFIDENCE) -> list[list[Estimate]]:
        """Percentile intervals, by submission and metric. Resamples in which there was nothing to measure are left
        out."""
        return [
            [
                Estimate(float(point), *bounds(self.samples[:, one, metric], float(point), confidence))
                for metric, point in enumerate(points)
            ]
            for one, points in enumerate(self.points)
        ]


def bounds(samples: Floats, point: float, confidence: float) -> tuple[float, float]:
    """The percentile interval of `samples` ``(resamples,)``, NaNs aside; without any, `point` and nothing around it."""
    known = samples[~np.isnan(samples)]
    if not len(known):
        return point, point
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(known, [tail, 100 - tail])
    return float(low), float(high)


def draw(judges: Sequence[Judged], resamples: int = RESAMPLES, seed: int = 0) -> Drawn:
    """Measure submissions on all items, and on `resamples` draws of as many with replacement, the same for all of them.

    Items (images) are resampled, not what is in them (Efron and Tibshirani 1993; ILSVRC did so with 20,000 draws at
    99.9 %: Russakovsky et al., IJCV 2015, section 6.1). The same seed draws the same.

    Metrics that are no means over items and no ratios, such as average precision, come out otherwise on average where
    some items are drawn twice, so that intervals may not even hold the number itself: their resamples are shifted by
    that bias (Efron and Tibshirani 1993, section 10.2).
    """
    items = len(judges[0].items)
    points = measure_all(judges, np.ones((1, items)))[0]
    counts = _counts(items, resamples, seed)
    chunks = list(map_batches(partial(_measured, judges), counts, workers=_WORKERS))
    samples = np.concatenate(chunks) if chunks else np.empty((0, *points.shape))
    biased = [metric for metric in range(points.shape[1]) if not is_linear(judges[0], metric)]
    samples[:, :, biased] = _shifted(samples[:, :, biased], points[:, biased])
    return Drawn(points, samples)


def _shifted(samples: Floats, points: Floats) -> Floats:
    """Resamples that have `points` as their mean; shares stay between 0 and 1."""
    found = samples + (points - _means(samples))
    is_share = np.isnan(samples) | ((samples >= 0) & (samples <= 1))
    return np.where(is_share.all(axis=0), np.clip(found, 0, 1), found)


def _means(samples: Floats) -> Floats:
    """The mean over resamples, NaNs aside; NaN where there is nothing else."""
    known = ~np.isnan(samples)
    return share(np.where(known, samples, 0).sum(axis=0), known.sum(axis=0))


def _measured(judges: Sequence[Judged], counts: npt.NDArray[np.int32]) -> Floats:
    return measure_all(judges, counts.astype(float))


def _counts(items: int, resamples: int, seed: int) -> Iterator[npt.NDArray[np.int32]]:
    """How often each item is drawn, ``(rows, items)``, a few resamples at a time."""
    generator = np.random.default_rng(seed)
    step = max(1, _AT_ONCE // max(1, items))
    for start in range(0, resamples if items else 0, step):
        counts = np.empty((min(step, resamples - start), items), np.int32)
        for row in counts:
            row[:] = np.bincount(generator.integers(items, size=items), minlength=items)
        yield counts
