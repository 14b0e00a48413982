"""Plots of an evaluation, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from holotype.benchmark.analysis.parts import FEW
from holotype.benchmark.calibration import Bin
from holotype.benchmark.intervals import Estimate
from holotype.benchmark.values import Floats, Ints
from holotype.statistics.pages import COLOUR, INK, PALE, figure_of, svg_of

ENDS = 12
"""So many of the best and of the worst classes are shown."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A class: its name, its value with an interval (the value itself where there is none), and how much it is of."""

    name: str
    estimate: Estimate
    count: int


def wilson(part: float, count: int, reach: float = 1.96) -> Estimate:
    """A share of so many with Wilson's interval (1927), which holds for few and for none.

    >>> print(wilson(0.0, 50))
    0.000 [0.000, 0.071]
    """
    middle = (part + reach**2 / (2 * count)) / (1 + reach**2 / count)
    half = reach / (1 + reach**2 / count) * sqrt(part * (1 - part) / count + reach**2 / (4 * count**2))
    return Estimate(part, max(0.0, middle - half), min(1.0, middle + half))


def dots(names: Sequence[str], estimates: Sequence[Estimate], what: str) -> str:
    """Numbers with intervals, one below the other."""
    figure, axes = figure_of(5.6, 0.7 + 0.28 * len(names))
    places = np.arange(len(names))[::-1]
    _with_intervals(axes, estimates, places)
    axes.set(xlabel=what, yticks=places, yticklabels=names)
    axes.grid(axis="x", color=PALE, linewidth=0.4)
    return svg_of(figure)


def classes(bars: Sequence[Bar], what: str) -> str:
    """The classes as bars, the best of them above the worst, with a gap between them where some are left out."""
    shown = [*bars[:ENDS], *bars[-ENDS:]] if len(bars) > 2 * ENDS else list(bars)
    gap = np.array([at + (len(bars) > 2 * ENDS and at >= ENDS) for at in range(len(shown))])
    places = -gap
    figure, axes = figure_of(5.6, 0.7 + 0.2 * len(shown))
    axes.barh(places, [bar.estimate.value for bar in shown], color=COLOUR, alpha=0.45, height=0.7)
    _with_intervals(axes, [bar.estimate for bar in shown], places)
    axes.set(xlabel=what, yticks=places, yticklabels=[f"{bar.name}  ({bar.count:,})" for bar in shown], xlim=(0, 1))
    axes.tick_params(axis="y", labelsize=8, length=0)
    return svg_of(figure)


def _with_intervals(axes: object, estimates: Sequence[Estimate], places: Ints) -> None:
    low = [max(0.0, one.value - one.low) for one in estimates]
    high = [max(0.0, one.high - one.value) for one in estimates]
    values = [one.value for one in estimates]
    axes.errorbar(values, places, xerr=[low, high], fmt="o", color=INK, markersize=3, elinewidth=1)  # type: ignore[attr-defined]


def reliability(bins: Sequence[Bin]) -> str:
    """Accuracy by confidence, and below how many images have it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.8, 3.9), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    held = [one for one in bins if one.images]
    width = bins[0].high - bins[0].low if bins else 0
    above.plot([0, 1], [0, 1], color=INK, linewidth=0.7)
    for one in held:
        alpha = 0.15 if one.images < FEW["images"] else 0.45
        above.bar([one.low], [one.accuracy], width, align="edge", color=COLOUR, alpha=alpha)
    above.plot([one.confidence for one in held], [one.accuracy for one in held], "o", color=INK, markersize=3)
    above.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    below.bar([one.low for one in held], [one.images for one in held], width, align="edge", color=PALE)
    below.set(xlabel="confidence of the first guess", ylabel="images")
    return svg_of(figure)


def heat(counts: Ints, names: Sequence[str]) -> str:
    """How often each group ``(groups, groups + 2)`` is guessed to be each, in percent of its images."""
    columns = [*names, "no group", "no guess"]
    kept = [at for at in range(counts.shape[1]) if at < len(names) or counts[:, at].any()]
    counts = counts[:, kept]
    total = counts.sum(axis=1, keepdims=True)
    shares = 100 * counts / np.maximum(total, 1)
    side = 1.9 + 0.33 * len(kept)
    figure, axes = figure_of(side, 1.5 + 0.3 * len(names))
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=100, edgecolors="white", linewidth=0.5)
    for row, column in np.argwhere(counts > 0).tolist():
        share = float(shares[row, column])
        said = f"{share:.0f}" if round(share) else "·"
        axes.text(
            column + 0.5, row + 0.5, said, ha="center", va="center", fontsize=7, color="white" if share > 55 else INK
        )
    axes.set_xticks(np.arange(len(kept)) + 0.5, [columns[at] for at in kept], rotation=50, ha="right", fontsize=8)
    axes.set_yticks(
        np.arange(len(names)) + 0.5,
        [f"{name} ({int(all_):,})" for name, all_ in zip(names, total[:, 0], strict=True)],
        fontsize=8,
    )
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.set_xlabel("first guess")
    return svg_of(figure)


def precision_recall(curves: Sequence[tuple[str, Floats, Floats]]) -> str:
    """Precision by recall of some classes: a name, and arrays ``(points,)`` of recall and precision as found."""
    from matplotlib import colormaps

    figure, axes = figure_of(4.6, 4.3)
    for at, (name, recall, precision) in enumerate(curves):
        label = f" {name}" if name.startswith("_") else name  # which would be left out of the legend
        axes.step(recall, precision, where="post", linewidth=1.3, label=label, color=colormaps["tab10"](at))
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncol=2)
    return svg_of(figure)
