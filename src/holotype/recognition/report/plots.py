"""Plots of the applications, as SVG. Drawn inside of `holotype.statistics.pages.drawing`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from holotype.benchmark.report.names import fit_to_show
from holotype.recognition.report.applied import Curve, Height, Recognized
from holotype.statistics.pages import INK, PALE, figure_of, svg_of

ACROSS: Final = 4
"""So many small plots are side by side."""
_STYLES: Final = ("-", "--", "-.", ":")


def colours(methods: Sequence[str]) -> Mapping[str, Any]:
    """A colour and a style of line for each method, the same in all plots of them."""
    from matplotlib import colormaps

    return {
        one: {"color": colormaps["tab10"](at % 10), "linestyle": _STYLES[(at // 10) % len(_STYLES)]}
        for at, one in enumerate(methods)
    }


def mean_curves(curves: Sequence[Curve], looks: Mapping[str, Any]) -> str:
    """The mean curves of methods, with the area below each."""
    figure, axes = figure_of(5.2, 5.0)
    for one in curves:
        _line(axes, one, looks, 1.6, f"{_label(one.method)}: {one.auc:.3f}")
    axes.set(xlabel="share of the others' images", ylabel="share of the class's images")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return svg_of(figure)


def class_curves(classes: Sequence[Recognized], names: Sequence[str], looks: Mapping[str, Any]) -> str:
    """A small plot of each class, of the curves of all methods."""
    from matplotlib.figure import Figure

    rows = -(-len(classes) // ACROSS)
    figure = Figure(figsize=(2.1 * ACROSS, 2.3 * rows), layout="constrained")
    spaces = figure.subplots(rows, ACROSS, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, one, name in zip(spaces, classes, names, strict=False):
        for curve in one.curves:
            _line(axes, curve, looks, 1.1, f"{curve.auc:.2f}")
        axes.set_title(f"{name} ({one.positives:,})", fontsize=8)
        axes.legend(frameon=False, fontsize=7, loc="lower right", handlelength=1.2)
    for axes in spaces[len(classes) :]:
        axes.set_visible(False)
    return svg_of(figure)


def _label(method: str) -> str:
    """What a legend calls a method: what begins with an underscore it would leave out."""
    return f" {fit_to_show(method, 40)}" if method.startswith("_") else fit_to_show(method, 40)


def _line(axes: Any, curve: Curve, looks: Mapping[str, Any], width: float, label: str) -> None:
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=0.6, zorder=0)
    axes.plot(curve.false, curve.true, linewidth=width, label=label, **looks[curve.method])
    axes.set(xlim=(0, 1), ylim=(0, 1.01), aspect="equal")


def heights(rows: Sequence[Height]) -> str:
    """The mean AUC by height, a line of each method, and below how many synsets there are."""
    from matplotlib.figure import Figure

    methods = list(dict.fromkeys(method for row in rows for method in row.aucs))
    looks = colours(methods)
    figure = Figure(figsize=(5.6, 4.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    for method in methods:
        known = [row for row in rows if method in row.aucs]
        at, values = [row.height for row in known], [row.aucs[method] for row in known]
        above.plot(at, values, marker="o", markersize=3.5, linewidth=1.4, label=_label(method), **looks[method])
    above.set(ylabel="mean area under the curve")
    above.grid(axis="y", color=PALE, linewidth=0.4)
    if methods:
        above.legend(frameon=False, fontsize=8)
    below.bar([row.height for row in rows], [row.synsets for row in rows], width=0.6, color=PALE)
    for row in rows:
        below.annotate(f"{row.synsets:,}", (row.height, row.synsets), ha="center", va="bottom", fontsize=7, color=INK)
    below.set(xlabel="height: the longest way down to a leaf", ylabel="synsets", xticks=[row.height for row in rows])
    below.margins(y=0.25)
    return svg_of(figure)
