"""The page of an evaluation: what was measured, how sure it is, who can be told apart, and what a score hides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

import numpy as np

from holotype.benchmark.analysis.parts import Draws, PartTable
from holotype.benchmark.analysis.properties import Properties
from holotype.benchmark.analysis.subjects import class_means, classes_of, confused, example_images
from holotype.benchmark.analysis.subtrees import divided
from holotype.benchmark.analysis.tables import tables
from holotype.benchmark.calibration import calibration
from holotype.benchmark.confusion import confusion, most_confused
from holotype.benchmark.intervals import Drawn, Estimate
from holotype.benchmark.judged import Judged, Metric
from holotype.benchmark.report import plots
from holotype.benchmark.report.curves import chosen, curve, curves_of
from holotype.benchmark.report.names import class_names, fit_to_show
from holotype.benchmark.report.pictures import Pictures, ReadPicture
from holotype.benchmark.result import Result
from holotype.benchmark.standings import Standing, standings
from holotype.benchmark.task import Task
from holotype.benchmark.values import Boxes, Guesses, Labels
from holotype.errors import UnknownSynset
from holotype.ontology import Ontology
from holotype.statistics.pages import drawing, fill_page

DETAILED: Final = 3
"""So many submissions, the best, are shown in detail."""
PAIRS: Final = 12
EXAMPLES: Final = 3
_HEAT: Final = (
    "Which subtrees are taken for which: percent of the images of a row. "
    "A guess within the right subtree may be wrong all the same."
)
SIDE_BY_SIDE: Final = 5
"""So many submissions have all their metrics side by side."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """What `evaluate` was told and found, of submissions called `names`."""

    task: Task[Any, Any]
    truth: Any
    names: Sequence[str]
    submissions: Sequence[Any]
    results: Sequence[Result]
    judges: Sequence[Judged]
    drawn: Drawn


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What a page shows beside: names and subtrees of an `ontology`, tables by `properties` and by the `boxes` that are
    known of the images, pictures that can be read, and by which metric submissions are ranked."""

    ontology: Ontology | None = None
    properties: Sequence[Properties] = ()
    read_picture: ReadPicture = field(default=lambda _: None)
    metric: int = 0
    boxes: Boxes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two classes that are confused: what they are called, how often, and example pictures."""

    label: str
    guess: str
    count: int
    images: int
    share: Estimate
    few: bool
    pictures: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Details:
    """A submission in detail. `plots` are SVG by what they show, with what stands below them."""

    name: str
    remarks: Sequence[str]
    plots: Mapping[str, tuple[str, str]]
    pairs: Sequence[Pair]
    tables: Sequence[PartTable]


def render(found: Evaluated, wanted: Wanted) -> str:
    """The page: one file without scripts, the same bytes for the same evaluation."""
    metric = found.judges[0].metrics[wanted.metric]
    first = found.results[0]
    ranked = standings(found.names, found.judges, found.drawn, wanted.metric, first.confidence)
    order = [list(found.names).index(one.name) for one in ranked]
    pictures = Pictures(wanted.read_picture)
    with drawing():
        details = [_details(found, one, wanted, pictures) for one in order[:DETAILED]]
        beside = _side_by_side(ranked, metric) if len(ranked) > 1 else ""
    return fill_page(
        resources.files(__package__).joinpath("page.html").read_text(),
        result=first,
        about=found.task.about,
        metric=metric,
        unit="images" if classes_of(found.truth) else "items",
        ranked=ranked,
        beside=beside,
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


def _details(found: Evaluated, one: int, wanted: Wanted, pictures: Pictures) -> Details:
    truth, submission, judged = found.truth, found.submissions[one], found.judges[one]
    result = found.results[one]
    draws = Draws(result.resamples, result.confidence, result.seed)
    names = class_names(classes_of(truth), wanted.ontology)
    drawn = {
        "classes": _classes_plot(truth, submission, judged, names),
        "reliability": _reliability_plot(truth, submission),
        "precision": _precision_plot(truth, judged, names),
        "heat": _heat_plot(truth, submission, wanted.ontology),
    }
    return Details(
        fit_to_show(found.names[one]),
        result.remarks,
        {name: plot for name, plot in drawn.items() if plot is not None},
        list(_pairs(truth, submission, names, draws, pictures)),
        tables(truth, submission, judged, wanted.properties, draws, wanted.boxes),
    )


def _classes_plot(truth: Any, submission: Any, judged: Judged, names: Mapping[str, str]) -> tuple[str, str] | None:
    means = class_means(truth, submission, judged)
    if means is None:
        return None
    metric, values, counts = means.metrics[0], means.values[:, 0], _counts(truth)
    of_images = not isinstance(getattr(truth, "boxes", truth), Boxes)
    known = [at for at in np.flatnonzero(~np.isnan(values)).tolist() if counts[at]]
    if len(known) < 2:
        return None
    order = sorted(known, key=lambda at: (-metric.sign * values[at], names[means.items[at]]))
    bars = []
    for at in order:
        value = float(values[at])
        estimate = plots.wilson(value, int(counts[at])) if of_images else Estimate(value, value, value)
        bars.append(plots.Bar(fit_to_show(names[means.items[at]], 40), estimate, int(counts[at])))
    what = "images" if of_images else "true objects"
    said = f"{metric.name} of {_ends(len(bars))}. In brackets: {what}."
    said += (
        " Lines: 95 % intervals of each alone (Wilson); the ends of a ranking look more extreme than they are."
        if of_images
        else ""
    )
    return plots.classes(bars, metric.name), said


def _ends(classes: int) -> str:
    if classes <= 2 * plots.ENDS:
        return f"all {classes} classes, the best first"
    return f"the {plots.ENDS} best and the {plots.ENDS} worst of {classes:,} classes"


def _counts(truth: Any) -> np.ndarray:
    told = getattr(truth, "boxes", truth)
    return np.bincount(told.label, minlength=len(told.classes))


def _reliability_plot(truth: Any, submission: Any) -> tuple[str, str] | None:
    if not isinstance(truth, Labels) or not isinstance(submission, Guesses) or submission.scores is None:
        return None
    said = "On the line: as often right as sure. Below it is too sure, above not sure enough. Pale bars: few images."
    return plots.reliability(calibration(truth, submission).bins()), said


def _precision_plot(truth: Any, judged: Judged, names: Mapping[str, str]) -> tuple[str, str] | None:
    known, means = curves_of(judged), class_means(truth, None, judged)
    if known is None or means is None:
        return None
    found, where = known
    values = {name: float(value) for name, value in zip(means.items, means.values[:, 0], strict=True) if value == value}
    number = {name: at for at, name in enumerate(means.items)}
    shown = {
        fit_to_show(f"{names[name]}: {values[name]:.2f}", 40): curve(found, number[name]) for name in chosen(values)
    }
    if not shown:
        return None
    of = "all classes" if len(shown) == len(values) else "the best, the middle and the worst classes"
    return plots.precision_recall(shown), f"Precision and recall of {of}, {where}; beside the names: average precision."


def _heat_plot(truth: Any, submission: Any, ontology: Ontology | None) -> tuple[str, str] | None:
    if not isinstance(truth, Labels) or not isinstance(submission, Guesses) or ontology is None:
        return None
    try:
        division = divided(truth.classes, ontology)
    except UnknownSynset:
        return None
    if len(division.names) < 2:
        return None
    counts = confusion(truth, submission, division.group, division.names)
    held = counts.sum(axis=1) > 0
    names = [fit_to_show(name, 30) for name in division.names]
    if not held.all():
        kept = [*np.flatnonzero(held).tolist(), len(names), len(names) + 1]
        lost = counts[:, :-2][:, ~held].sum(axis=1)
        counts, names = counts[held][:, kept], [name for name, one in zip(names, held, strict=True) if one]
        counts[:, -2] += lost[held]
    return plots.heat(counts, names), _HEAT


def _pairs(truth: Any, submission: Any, names: Mapping[str, str], draws: Draws, pictures: Pictures) -> Iterator[Pair]:
    if not isinstance(truth, Labels) or not isinstance(submission, Guesses):
        return
    found = most_confused(truth, submission, PAIRS)
    table = confused(truth, submission, [(one.label, one.guess) for one in found], draws)
    for one, row in zip(found, table.rows, strict=True):
        images = example_images(truth, submission, one.label, one.guess)
        yield Pair(
            names[one.label],
            names[one.guess],
            one.count,
            one.images,
            row.estimates[0],
            row.few,
            pictures(images, EXAMPLES),
        )
