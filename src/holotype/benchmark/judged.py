"""What a submission did on each item of a benchmark, and what follows from it for any weights of the items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


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


def measure_all(judges: Sequence[Judged], weights: Floats) -> Floats:
    """The metrics of several submissions on the same items and metrics, ``(rows, submissions, metrics)``.

    Means are taken in one product, which reads the weights once.
    """
    if all(isinstance(judged, Means) for judged in judges):
        values = np.hstack([judged.values for judged in judges if isinstance(judged, Means)])
        return _weighted(values, weights).reshape(len(weights), len(judges), -1)
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
