"""The demo's result as one self-contained HTML page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from holotype.benchmark import GUESSES, Result
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import State
from holotype.demo.journey import DemoResult, Shown
from holotype.images import decode, encode_jpeg, fit
from holotype.recognition.report.plots import heights
from holotype.statistics.pages import COLOUR, INK, PALE, drawing, figure_of, fill_page, svg_of

_THUMBNAIL = 112
_HEATED = 160
_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Picture:
    """A thumbnail in the report: JPEG in base64, how the crowd decided and whether that is right."""

    data: str
    state: str
    right: bool


def render(result: DemoResult) -> str:
    """The page, with pictures and plots inside it."""
    return fill_page(
        resources.files(__package__).joinpath("report.html").read_text(),
        result=result,
        total=result.total,
        rows=[*result.rows, result.total],
        plots=_plots(result),
        grids=_grids(result),
        percent=lambda value: "–" if value is None else f"{100 * value:.1f} %",
        applied={} if result.recognised is None else {one.name: one for one in result.recognised.results},
        heated=_heated(result),
        view=lambda view: base64.b64encode(view.average).decode(),
    )


def _heated(result: DemoResult) -> list[tuple[str, str]]:
    """Pictures of where the network looks, JPEGs in base64, with what they are asked about."""
    heated = () if result.recognised is None else result.recognised.heated
    return [(one.name, base64.b64encode(encode_jpeg(fit(one.pixels, _HEATED), 85)).decode()) for one in heated]


def _grids(result: DemoResult) -> list[dict[str, Any]]:
    order = {State.YES: 0, State.UNDECIDED: 1, State.NO: 2, State.OPEN: 3}
    grids = []
    for target in result.targets:
        pairs = sorted(result.pictures.get(target.wnid, ()), key=lambda shown: order[State(shown.state)])
        accepted = [shown for shown in pairs if shown.state == State.YES]
        others = [shown for shown in pairs if shown.state != State.YES]
        grids.append(
            {
                "synset": target,
                "path": " › ".join(above.name for above in result.ontology.paths(target)[0][-4:-1]),
                "accepted": [_picture(shown) for shown in accepted[:_SHOWN]],
                "others": [_picture(shown) for shown in others[: _SHOWN // 2]],
                "counts": (len(accepted), len(others)),
            }
        )
    return grids


def _picture(shown: Shown) -> Picture:
    small = encode_jpeg(fit(decode(shown.thumbnail).pixels, _THUMBNAIL), 80)
    return Picture(base64.b64encode(small).decode(), shown.state, (shown.state == State.YES) == shown.good)


def _plots(result: DemoResult) -> Mapping[str, str]:
    """SVG plots by name."""
    with drawing():
        plots = {
            "votes": _votes_plot(result),
            "quality": _quality_plot(result),
            "workers": _workers_plot(result),
        }
        if result.scores is not None:
            plots["errors"] = _errors_plot(result.scores)
        for one in () if result.recognised is None else result.recognised.results:
            if one.heights:
                plots["heights"] = heights(one.heights)
    return plots


def _votes_plot(result: DemoResult) -> str:
    figure, axes = figure_of(3.5, 2.9)
    numbers = sorted(result.votes_per_candidate)
    axes.bar(numbers, [result.votes_per_candidate[number] for number in numbers], color=COLOUR)
    axes.axvline(5, color=INK, linestyle="--", linewidth=1)
    axes.text(5.1, axes.get_ylim()[1] * 0.93, "majority: 5 for all", color=INK)
    axes.set(xlabel="votes asked", ylabel="candidates", xticks=range(1, max([5, *numbers]) + 1))
    return svg_of(figure)


def _quality_plot(result: DemoResult) -> str:
    figure, axes = figure_of(3.7, 2.9)
    rows = [row for row in result.rows if row.adaptive.good][::-1]
    places = np.arange(len(rows))
    axes.barh(places + 0.2, [row.adaptive.recall for row in rows], 0.38, color=COLOUR, label="adaptive")
    axes.barh(places - 0.2, [row.fixed.recall for row in rows], 0.38, color=PALE, label="majority of five")
    axes.set(yticks=places, yticklabels=[row.name for row in rows], xlim=(0, 1.02), xlabel="recall of good images")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return svg_of(figure)


def _workers_plot(result: DemoResult) -> str:
    figure, axes = figure_of(3.3, 2.9)
    confusion = result.consensus.confusion
    votes = np.bincount(result.ballot.worker, minlength=result.ballot.workers)
    axes.scatter(
        confusion[:, 0, Answer.NO],
        confusion[:, 1, Answer.YES],
        s=4 + votes,
        color=COLOUR,
        alpha=0.6,
        edgecolors="none",
    )
    axes.set(
        xlabel="specificity (no on bad images)",
        ylabel="sensitivity (yes on good ones)",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    axes.plot([0, 1], [1, 0], color=PALE, linestyle="--", linewidth=1)
    axes.text(0.05, 0.05, "below the line:\nworse than a coin", color=INK, fontsize=8)
    return svg_of(figure)


def _errors_plot(scores: Result) -> str:
    figure, axes = figure_of(4, 2.8)
    guesses = np.arange(1, GUESSES + 1)
    errors = [scores[f"top-{k} error"] for k in guesses]
    values = [estimate.value for estimate in errors]
    bounds: Sequence[Sequence[float]] = [[e.value - e.low for e in errors], [e.high - e.value for e in errors]]
    axes.errorbar(guesses, values, yerr=bounds, fmt="o-", color=COLOUR, capsize=3)
    axes.set(xlabel="guesses", ylabel="flat error", ylim=(0, 1.02), xticks=guesses)
    return svg_of(figure)
