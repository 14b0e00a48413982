"""Submissions side by side: who is ahead, of whom that can be said, and what it would take to say it of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from holotype.benchmark.intervals import CONFIDENCE, Drawn, Estimate
from holotype.benchmark.judged import Judged, Metric
from holotype.benchmark.separable import Comparison, compare, ranks
from holotype.errors import PredictionError


@dataclass(frozen=True, slots=True)
class Standing:
    """The place of a submission by one metric: its `rank`, shared with all that it cannot be told from and that cannot
    be told from better ones; None where there was nothing to measure. `behind` compares it with the next better one,
    None for the first."""

    name: str
    rank: int | None
    estimate: Estimate
    behind: Comparison | None

    def value(self) -> dict[str, Any]:
        """This as JSON values."""
        known = self.rank is not None
        found = {"value": self.estimate.value, "low": self.estimate.low, "high": self.estimate.high}
        behind = self.behind and {
            "difference": self.behind.difference.value,
            "low": self.behind.difference.low,
            "high": self.behind.difference.high,
            "p": self.behind.p,
            "test": self.behind.test,
            "needed": self.behind.needed,
        }
        estimate = {name: number if known else None for name, number in found.items()}
        return {"name": self.name, "rank": self.rank, **estimate, "behind": behind}


def standings(
    names: Sequence[str], judges: Sequence[Judged], drawn: Drawn, metric: int, confidence: float = CONFIDENCE
) -> list[Standing]:
    """The submissions called `names`, best first; equal ones in the order of their names, those without a number last.

    `drawn` are the resamples of all of them together.
    """
    sign = judges[0].metrics[metric].sign
    points = drawn.points[:, metric]
    known = sorted((one for one in range(len(names)) if points[one] == points[one]), key=lambda one: names[one])
    known.sort(key=lambda one: -sign * float(points[one]))
    estimates = drawn.estimates(confidence)
    shared = ranks([judges[one] for one in known], _only(drawn, known), metric, confidence) if known else []
    found = [
        Standing(names[one], rank, estimates[one][metric], behind)
        for at, (one, rank) in enumerate(zip(known, shared, strict=True))
        for behind in [compare(judges, drawn, one, known[at - 1], metric, confidence) if at else None]
    ]
    others = sorted(set(range(len(names))) - set(known), key=lambda one: names[one])
    return [*found, *(Standing(names[one], None, estimates[one][metric], None) for one in others)]


def _only(drawn: Drawn, chosen: Sequence[int]) -> Drawn:
    return Drawn(drawn.points[list(chosen)], drawn.samples[:, list(chosen)])


def metric_called(metrics: Sequence[Metric], name: str) -> int:
    """The place of a metric, the first for "". Raises `PredictionError` where there is none of that name."""
    found = next((at for at, metric in enumerate(metrics) if name in ("", metric.name)), None)
    if found is None:
        raise PredictionError(f"there is no metric {name[:60]!r}, but {', '.join(metric.name for metric in metrics)}")
    return found
