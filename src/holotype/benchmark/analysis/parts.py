"""Metrics of parts: of images that have something in common, or of classes, each with its count and interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from holotype.benchmark.intervals import CONFIDENCE, RESAMPLES, Drawn, Estimate, bounds, draw
from holotype.benchmark.judged import Floats, Means, Metric, Ratios
from holotype.benchmark.values import Bools

FEW: Final[Mapping[str, int]] = {"images": 30, "classes": 10, "items": 30}
"""Parts of fewer are marked: their intervals are not to be trusted."""
RATIO: Final = Metric(
    "error ratio",
    "lower",
    "error where a factor is present by that of all annotated images (Idrissi et al., ICLR 2023)",
)


@dataclass(frozen=True, slots=True)
class Draws:
    """How intervals are made: so many `resamples` from a `seed`, and their `confidence`."""

    resamples: int = RESAMPLES
    confidence: float = CONFIDENCE
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A part: its name, how many images or classes are in it, whether those are `few`, and its metrics."""

    name: str
    count: int
    few: bool
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class PartTable:
    """Metrics by parts. `unit` is what is counted and drawn, "images" or "classes"; `about` says what parts are."""

    title: str
    unit: str
    metrics: tuple[Metric, ...]
    rows: tuple[Row, ...]
    about: str = ""

    def value(self) -> dict[str, Any]:
        """This as JSON values, ``None`` for what there was nothing to measure for."""
        rows = [
            {
                "name": row.name,
                self.unit: row.count,
                "few": row.few,
                "metrics": {
                    metric.name: {
                        name: None if number != number else number
                        for name, number in (("value", found.value), ("low", found.low), ("high", found.high))
                    }
                    for metric, found in zip(self.metrics, row.estimates, strict=True)
                },
            }
            for row in self.rows
        ]
        return {"by": self.title, "unit": self.unit, "about": self.about, "rows": rows}


def by_parts(
    title: str, unit: str, means: Means, parts: Mapping[str, Bools], draws: Draws, about: str = ""
) -> PartTable:
    """The means in each of `parts` ``(units,)``, which may overlap; empty ones are left out.

    All units are drawn, as often as there are, so that the size of a part varies as it would in another sample.
    """
    held = _held(means, parts)
    if not held:
        return PartTable(title, unit, tuple(means.metrics), (), about)
    estimates = _drawn(means, held, draws).estimates(draws.confidence)[0]
    width = len(means.metrics)
    rows = (_row(name, held[name], unit, estimates[at * width :][:width]) for at, name in enumerate(held))
    return PartTable(title, unit, tuple(means.metrics), tuple(rows), about)


def by_factors(
    title: str, unit: str, means: Means, factors: Mapping[str, Bools], known: Bools, draws: Draws, about: str = ""
) -> PartTable:
    """As `by_parts`, and the ratio of each to all that are `known` ``(units,)`` by the first metric, drawn together;
    the first row is all of these."""
    held = _held(means, {"all annotated": known, **factors})
    if "all annotated" not in held:
        return PartTable(title, unit, (*means.metrics, RATIO), (), about)
    drawn, width = _drawn(means, held, draws), len(means.metrics)
    estimates = drawn.estimates(draws.confidence)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        points, samples = (found[..., ::width] / found[..., :1] for found in (drawn.points[0], drawn.samples[:, 0]))
    rows = []
    for at, name in enumerate(held):
        point, drawings = float(points[at]), samples[:, at]
        ratio = Estimate(point, *bounds(drawings[np.isfinite(drawings)], point, draws.confidence))
        rows.append(_row(name, held[name], unit, [*estimates[at * width :][:width], ratio]))
    return PartTable(title, unit, (*means.metrics, RATIO), tuple(rows), about)


def each_of(
    title: str, unit: str, metric: Metric, parts: Mapping[str, Bools], hits: Sequence[Bools], draws: Draws
) -> PartTable:
    """The share of each of `parts` ``(units,)`` that is among its own `hits` ``(units,)``."""
    if not parts:
        return PartTable(title, unit, (metric,), ())
    whole = np.stack(list(parts.values()), axis=1)
    judged = Ratios(
        [str(at) for at in range(len(whole))],
        (),
        (whole & np.stack(hits, axis=1)).astype(np.float64),
        whole.astype(np.float64),
    )
    estimates = draw([judged], draws.resamples, draws.seed).estimates(draws.confidence)[0]
    rows = (_row(name, part, unit, [one]) for (name, part), one in zip(parts.items(), estimates, strict=True))
    return PartTable(title, unit, (metric,), tuple(rows))


def _held(means: Means, parts: Mapping[str, Bools]) -> dict[str, Bools]:
    counted = ~np.isnan(means.values).all(axis=1)
    return {name: mask & counted for name, mask in parts.items() if (mask & counted).any()}


def _drawn(means: Means, parts: Mapping[str, Bools], draws: Draws) -> Drawn:
    inside = np.stack(list(parts.values()), axis=1)[:, :, None] & ~np.isnan(means.values)[:, None, :]
    values = np.where(inside, means.values[:, None, :], 0.0)
    flat: Sequence[Floats] = [one.reshape(len(means.items), -1).astype(np.float64) for one in (values, inside)]
    return draw([Ratios(means.items, (), *flat)], draws.resamples, draws.seed)


def _row(name: str, part: Bools, unit: str, estimates: Sequence[Estimate]) -> Row:
    count = int(part.sum())
    return Row(name, count, count < FEW.get(unit, 30), tuple(estimates))
