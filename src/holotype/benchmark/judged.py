"""What a submission did on each item of a benchmark, and what follows from it for any weights of the items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that a submission gets: `name`, whether the `better` one is lower or higher, and `about`, its
    definition and source in a line."""

    name: str
    better: Literal["lower", "higher"]
    about: str

    @property
    def sign(self) -> int:
        """What a difference is multiplied by so that the better one is above: 1 or -1."""
        return 1 if self.better == "higher" else -1


class Judged(Protocol):
    """What a submission did on `items`, by their ids: images, or questions. Resampling, parts and comparisons weigh
    items, so all that a task has to know of them is `measure`."""

    @property
    def items(self) -> Sequence[str]:
        """The ids of the items, in the order of the truth."""

    @property
    def metrics(self) -> Sequence[Metric]:
        """What is measured."""

    def measure(self, weights: Floats) -> Floats:
        """The metrics ``(rows, metrics)`` where items count as often as `weights` ``(rows, items)`` say; NaN where that
        leaves nothing to measure."""


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """Metrics that are means over items: `values` is ``(items, metrics)``, NaN where an item does not count."""

    items: Sequence[str]
    metrics: Sequence[Metric]
    values: Floats

    def measure(self, weights: Floats) -> Floats:
        """The weighted means ``(rows, metrics)``."""
        return _weighted(self.values, weights)


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """Metrics that are ratios of two sums over items, `part` and `whole`, ``(items, metrics)`` each."""

    items: Sequence[str]
    metrics: Sequence[Metric]
    part: Floats
    whole: Floats

    def measure(self, weights: Floats) -> Floats:
        """The ratios of the weighted sums, ``(rows, metrics)``."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(weights @ self.part / (weights @ self.whole))


@dataclass(frozen=True, slots=True, eq=False)
class ClassMeans:
    """Metrics that are means of the means of classes (macro): `values` ``(pairs, metrics)`` of each pair of an `item`
    and the `group` it counts for, ``(pairs,)`` each, sorted by group. A class of which nothing is drawn does not count.
    """

    items: Sequence[str]
    metrics: Sequence[Metric]
    item: Ints
    group: Ints
    values: Floats

    def measure(self, weights: Floats) -> Floats:
        """The means over classes of the weighted means of each, ``(rows, metrics)``."""
        if not len(self.item):
            return np.full((len(weights), self.values.shape[1]), np.nan)
        starts = np.flatnonzero(np.diff(self.group, prepend=-1))
        spread = weights[:, self.item]
        totals = np.add.reduceat(spread, starts, axis=1)
        found = np.zeros((len(weights), self.values.shape[1]))
        for number, (start, stop) in enumerate(zip(starts, [*starts[1:], len(self.item)], strict=True)):
            total = totals[:, number, None]
            found += spread[:, start:stop] @ self.values[start:stop] / np.where(total > 0, total, 1)
        with np.errstate(invalid="ignore"):
            return np.asarray(found / (totals > 0).sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Several judgements of a submission on the same items as one: the metrics of all `parts`, in their order."""

    parts: Sequence[Judged]

    @property
    def items(self) -> Sequence[str]:
        """The ids of the items."""
        return self.parts[0].items

    @property
    def metrics(self) -> Sequence[Metric]:
        """What is measured."""
        return tuple(chain.from_iterable(part.metrics for part in self.parts))

    def measure(self, weights: Floats) -> Floats:
        """The metrics of all parts, side by side."""
        return np.hstack([part.measure(weights) for part in self.parts])


def by_item(judged: Judged, metric: int) -> Floats | None:
    """The values ``(items,)`` that a metric is the mean of, NaN where an item does not count; None where it is none."""
    part, at = _part_with(judged, metric)
    return part.values[:, at] if isinstance(part, Means) else None


def is_linear(judged: Judged, metric: int) -> bool:
    """Whether a metric is a mean over items or a ratio of two: resamples of it are right on average."""
    return isinstance(_part_with(judged, metric)[0], Means | Ratios)


def _part_with(judged: Judged, metric: int) -> tuple[Judged, int]:
    """The judgement that a metric is of where several are together, and its place there."""
    for part in judged.parts if isinstance(judged, Together) else ():
        if metric < len(part.metrics):
            return _part_with(part, metric)
        metric -= len(part.metrics)
    return judged, metric


def measure_all(judges: Sequence[Judged], weights: Floats) -> Floats:
    """The metrics of several submissions on the same items and metrics, ``(rows, submissions, metrics)``.

    Means are taken in one product, which reads the weights once.
    """
    if all(isinstance(judged, Together) for judged in judges):
        parts = zip(*(judged.parts for judged in judges if isinstance(judged, Together)), strict=True)
        return np.concatenate([measure_all(part, weights) for part in parts], axis=2)
    first = judges[0]
    if isinstance(first, Means | ClassMeans) and all(type(judged) is type(first) for judged in judges):
        values = np.hstack([judged.values for judged in judges if isinstance(judged, Means | ClassMeans)])
        return replace(first, values=values).measure(weights).reshape(len(weights), len(judges), -1)
    return np.stack([judged.measure(weights) for judged in judges], axis=1)


def share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    """`part` by `whole`, NaN where that is 0."""
    found: Floats = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
    return found


def _weighted(values: Floats, weights: Floats) -> Floats:
    counted = ~np.isnan(values)
    if counted.all():
        total = weights.sum(axis=1, keepdims=True)
    else:
        values, total = np.where(counted, values, 0.0), weights @ counted.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weights @ values / total)
