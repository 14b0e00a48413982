"""The page of an evaluation: what was measured, how sure it is, who can be told apart, and what a score hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Final

from holotype.benchmark.analysis.parts import PartTable
from holotype.benchmark.analysis.subjects import classes_of
from holotype.benchmark.intervals import Estimate
from holotype.benchmark.judged import Metric
from holotype.benchmark.report import plots
from holotype.benchmark.report.details import details_of
from holotype.benchmark.report.evaluated import Evaluated, Wanted
from holotype.benchmark.report.names import fit_to_show
from holotype.benchmark.report.pictures import Pictures
from holotype.benchmark.standings import Standing, standings
from holotype.statistics.pages import drawing, fill_page

DETAILED: Final = 3
"""So many submissions, the best, are shown in detail."""
SIDE_BY_SIDE: Final = 5
"""So many submissions have all their metrics side by side."""


def render(found: Evaluated, wanted: Wanted) -> str:
    """The page: one file without scripts, the same bytes for the same evaluation."""
    metric = found.judges[0].metrics[wanted.metric]
    first = found.results[0]
    ranked, order = _ranked(found, wanted.metric)
    pictures = Pictures(wanted.read_picture)
    with drawing():
        details = [details_of(found, one, wanted, pictures) for one in order[:DETAILED]]
        beside = _side_by_side(ranked, metric) if len(ranked) > 1 else ""
    return fill_page(
        resources.files(__package__).joinpath("page.html").read_text(),
        result=first,
        about=found.task.about,
        metric=metric,
        unit="images" if classes_of(found.truth) else "items",
        ranked=ranked,
        beside=beside,
        tests=sorted({one.behind.test for one in ranked if one.behind is not None}),
        metrics=_metrics(found, order[:SIDE_BY_SIDE]),
        outside=_outside(found, order[:SIDE_BY_SIDE]),
        shown=[found.names[one] for one in order[:SIDE_BY_SIDE]],
        results=[found.results[one] for one in order],
        details=details,
        left=len(order) - len(details),
        called=fit_to_show,
        known=lambda estimate: estimate.value == estimate.value,
        number=_number,
        p=lambda value: "< 0.001" if value < 0.001 else f"{value:.3f}",
        span=_span,
    )


def _ranked(found: Evaluated, metric: int) -> tuple[list[Standing], list[int]]:
    """The submissions as they stand, and the place of each; several may have the same name."""
    keys = [f"{name}\0{at}" for at, name in enumerate(found.names)]
    ranked = standings(keys, found.judges, found.drawn, metric, found.results[0].confidence)
    order = [keys.index(one.name) for one in ranked]
    return [replace(one, name=found.names[at]) for one, at in zip(ranked, order, strict=True)], order


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"


def _metrics(found: Evaluated, shown: Sequence[int]) -> list[tuple[Metric, list[Estimate]]]:
    """The metrics that were measured of any of some submissions, with their estimates."""
    rows = ((metric, [found.results[one].metrics[metric] for one in shown]) for metric in found.judges[0].metrics)
    return [(metric, row) for metric, row in rows if any(one.value == one.value for one in row)]


def _outside(found: Evaluated, shown: Sequence[int]) -> list[Metric]:
    """The metrics of which an interval does not hold its value."""
    return [
        metric
        for metric, row in _metrics(found, shown)
        if any(one.value < one.low or one.value > one.high for one in row)
    ]


def _side_by_side(ranked: Sequence[Standing], metric: Metric) -> str:
    known = [one for one in ranked if one.rank is not None]
    return plots.dots([fit_to_show(one.name, 40) for one in known], [one.estimate for one in known], metric.name)


@dataclass(frozen=True, slots=True)
class Span:
    """The range of numbers that lines beside a table show."""

    low: float
    high: float

    def of(self, one: Estimate) -> tuple[float, float, float]:
        """Where the interval begins, how wide it is, and where the value is, in percent of the range."""
        width = (self.high - self.low) or 1.0
        low, high, value = (round(100 * (end - self.low) / width, 2) for end in (one.low, one.high, one.value))
        return low, round(high - low, 2), value


def _span(table: PartTable) -> Span:
    first = [row.estimates[0] for row in table.rows]
    known = [end for one in first for end in (one.low, one.high, one.value) if end == end]
    return Span(min(known, default=0.0), max(known, default=0.0))
