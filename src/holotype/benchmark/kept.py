"""What is kept of a submission that was measured: enough to compare it with others, without judging it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holotype.benchmark.intervals import RESAMPLES, Drawn, Estimate, draw
from holotype.benchmark.judged import Floats, Judged, Means, Metric, by_item


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A metric of a submission over so many `items`: its `estimate`, its `samples` ``(resamples,)``, which are those of
    the same resamples for all submissions, and the `values` ``(items,)`` that it is the mean of, None where it is none.
    """

    metric: Metric
    items: int
    estimate: Estimate
    samples: Floats
    values: Floats | None = None

    @property
    def known(self) -> bool:
        """Whether there was anything to measure."""
        return self.estimate.value == self.estimate.value

    @property
    def score(self) -> float:
        """The number where more is better."""
        return self.metric.sign * self.estimate.value


def keep(judged: Judged, metric: int, seed: int = 0, resamples: int = RESAMPLES) -> tuple[Kept, list[Estimate]]:
    """What is kept of one metric, and the estimates of all."""
    drawn = draw([judged], resamples, seed)
    estimates = drawn.estimates()[0]
    values = by_item(judged, metric)
    kept = Kept(judged.metrics[metric], len(judged.items), estimates[metric], drawn.samples[:, 0, metric], values)
    return kept, estimates


def standard_error(one: Kept, other: Kept) -> float:
    """The standard error of the difference of two submissions to the same items, paired by item.

    Of means: the standard deviation of the items' differences (n - 1) over the root of how many count. Of other
    numbers: the standard deviation of the difference over resamples, which estimates the same.
    """
    if one.values is not None and other.values is not None:
        differences = one.values - other.values
        differences = differences[~np.isnan(differences)]
        return float(differences.std(ddof=1) / np.sqrt(len(differences))) if len(differences) > 1 else np.inf
    samples = one.samples - other.samples
    samples = samples[~np.isnan(samples)]
    return float(samples.std(ddof=1)) if len(samples) > 1 else np.inf


def together(some: Sequence[Kept]) -> tuple[list[Judged], Drawn]:
    """Submissions to the same items as comparisons take them."""
    points = np.array([[one.estimate.value] for one in some])
    return [_judged(one) for one in some], Drawn(points, np.stack([one.samples for one in some], axis=1)[:, :, None])


def _judged(kept: Kept) -> Judged:
    items = tuple(map(str, range(kept.items)))
    if kept.values is not None:
        return Means(items, (kept.metric,), kept.values[:, None])
    return _Sampled(items, (kept.metric,), kept.estimate.value)


@dataclass(frozen=True, slots=True, eq=False)
class _Sampled:
    """A submission of which only the number over all items is known, and what it was in resamples, elsewhere."""

    items: Sequence[str]
    metrics: Sequence[Metric]
    value: float

    def measure(self, weights: Floats) -> Floats:
        """The number where all items weigh the same, else NaN: that was not kept."""
        same = weights.min(axis=1) == weights.max(axis=1)
        return np.where(same & (weights.max(axis=1) > 0), self.value, np.nan)[:, None]
