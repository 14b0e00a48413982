"""A submission in detail: its classes, what it confuses, and its metrics by parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from holotype.benchmark.analysis.parts import Draws, PartTable
from holotype.benchmark.analysis.subjects import class_means, classes_of, confused, example_images
from holotype.benchmark.analysis.subtrees import divided
from holotype.benchmark.analysis.tables import tables
from holotype.benchmark.calibration import calibration
from holotype.benchmark.confusion import confusion, most_confused
from holotype.benchmark.intervals import Estimate
from holotype.benchmark.judged import Judged, Means
from holotype.benchmark.report import plots
from holotype.benchmark.report.curves import chosen, curve, curves_of
from holotype.benchmark.report.evaluated import Evaluated, Wanted
from holotype.benchmark.report.names import class_names, fit_to_show
from holotype.benchmark.report.pictures import Pictures
from holotype.benchmark.values import Guesses, Ints, Labels
from holotype.errors import UnknownSynset
from holotype.ontology import Ontology

PAIRS: Final = 12
EXAMPLES: Final = 3
_HEAT: Final = (
    "Which subtrees are taken for which: percent of the images of a row. "
    "A guess within the right subtree may be wrong all the same."
)
_WILSON: Final = " Lines: 95 % intervals of each alone (Wilson); the ends of a ranking look more extreme than they are."

Plot = tuple[str, str]
"""An SVG and what stands below it."""


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
    """A submission in detail. `plots` are by what they show."""

    name: str
    remarks: Sequence[str]
    plots: Mapping[str, Plot]
    pairs: Sequence[Pair]
    tables: Sequence[PartTable]


def details_of(found: Evaluated, one: int, wanted: Wanted, pictures: Pictures) -> Details:
    """The details of one of the submissions."""
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


def _classes_plot(truth: Any, submission: Any, judged: Judged, names: Mapping[str, str]) -> Plot | None:
    means = class_means(truth, submission, judged)
    if means is None or not isinstance(truth, Labels):
        return None if means is None else _bars(means, _counts(truth), names, _alone, "true objects", "")
    return _bars(means, _counts(truth), names, plots.wilson, "images", _WILSON)


def _alone(value: float, _: int) -> Estimate:
    return Estimate(value, value, value)


def _bars(
    means: Means, counts: Ints, names: Mapping[str, str], sure: Callable[[float, int], Estimate], what: str, more: str
) -> Plot | None:
    metric, values = means.metrics[0], means.values[:, 0]
    known = [at for at in np.flatnonzero(~np.isnan(values)).tolist() if counts[at]]
    if len(known) < 2:
        return None
    order = sorted(known, key=lambda at: (-metric.sign * values[at], names[means.items[at]]))
    bars = [
        plots.Bar(fit_to_show(names[means.items[at]], 40), sure(float(values[at]), int(counts[at])), int(counts[at]))
        for at in order
    ]
    return plots.classes(bars, metric.name), f"{metric.name} of {_ends(len(bars))}. In brackets: {what}.{more}"


def _ends(classes: int) -> str:
    if classes <= 2 * plots.ENDS:
        return f"all {classes} classes, the best first"
    return f"the {plots.ENDS} best and the {plots.ENDS} worst of {classes:,} classes"


def _counts(truth: Any) -> Ints:
    told = getattr(truth, "boxes", truth)
    return np.bincount(told.label, minlength=len(told.classes))


def _reliability_plot(truth: Any, submission: Any) -> Plot | None:
    if not isinstance(truth, Labels) or not isinstance(submission, Guesses) or submission.scores is None:
        return None
    said = "On the line: as often right as sure. Below it is too sure, above not sure enough. Pale bars: few images."
    return plots.reliability(calibration(truth, submission).bins()), said


def _precision_plot(truth: Any, judged: Judged, names: Mapping[str, str]) -> Plot | None:
    known, means = curves_of(judged), class_means(truth, None, judged)
    if known is None or means is None:
        return None
    found, where = known
    values = {name: float(value) for name, value in zip(means.items, means.values[:, 0], strict=True) if value == value}
    number = {name: at for at, name in enumerate(means.items)}
    shown = [
        (fit_to_show(f"{names[name]}: {values[name]:.2f}", 40), *curve(found, number[name])) for name in chosen(values)
    ]
    if not shown:
        return None
    of = "all classes" if len(shown) == len(values) else "the best, the middle and the worst classes"
    return plots.precision_recall(shown), f"Precision and recall of {of}, {where}; beside the names: average precision."


def _heat_plot(truth: Any, submission: Any, ontology: Ontology | None) -> Plot | None:
    if not isinstance(truth, Labels) or not isinstance(submission, Guesses) or ontology is None:
        return None
    try:
        division = divided(truth.classes, ontology)
    except UnknownSynset:
        return None
    if len(division.names) < 2:
        return None
    names = [fit_to_show(name, 30) for name in division.names]
    return plots.heat(*with_images(confusion(truth, submission, division.group, names), names)), _HEAT


def with_images(counts: Ints, names: Sequence[str]) -> tuple[Ints, list[str]]:
    """A confusion ``(groups, groups + 2)`` of the groups that have images; guesses of others are of no group."""
    held = counts.sum(axis=1) > 0
    found = counts[held][:, np.append(held, [True, True])]
    found[:, -2] += counts[held][:, :-2][:, ~held].sum(axis=1)
    return found, [name for name, one in zip(names, held, strict=True) if one]


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
