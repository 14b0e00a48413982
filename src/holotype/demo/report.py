"""The demo's result as one self-contained HTML page."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from holotype.benchmark import Scores
from holotype.crowd import Answer, State
from holotype.demo.journey import DemoResult
from holotype.images import decode, encode_jpeg, fit
from holotype.images.gallery import Image

_THUMBNAIL = 112
_SHOWN = 24
_INK, _ADAPTIVE, _FIXED = "#1c2b33", "#1f77b4", "#b8bfc4"


@dataclass(frozen=True, slots=True)
class Picture:
    """A thumbnail in the report: JPEG in base64, how the crowd decided and whether that is right."""

    data: str
    state: str
    right: bool


def render(result: DemoResult) -> str:
    """The page, with pictures and plots inside it."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(resources.files(__package__).joinpath("report.html").read_text())
    return template.render(
        result=result,
        total=result.total,
        rows=[*result.rows, result.total],
        plots=_plots(result),
        grids=_grids(result),
        percent=lambda value: "–" if value is None else f"{100 * value:.1f} %",
    )


def _grids(result: DemoResult) -> list[dict[str, Any]]:
    order = {State.YES: 0, State.UNDECIDED: 1, State.NO: 2, State.OPEN: 3}
    grids = []
    for target in result.targets:
        pairs = sorted(result.pictures.get(target.wnid, ()), key=lambda pair: order[State(pair[0].decided)])
        accepted = [pair for pair in pairs if pair[0].decided == State.YES]
        others = [pair for pair in pairs if pair[0].decided != State.YES]
        grids.append(
            {
                "synset": target,
                "path": " › ".join(above.name for above in result.ontology.paths(target)[0][-4:-1]),
                "accepted": [_picture(image, good) for image, good in accepted[:_SHOWN]],
                "others": [_picture(image, good) for image, good in others[: _SHOWN // 2]],
                "counts": (len(accepted), len(others)),
            }
        )
    return grids


def _picture(image: Image, good: bool) -> Picture:
    small = encode_jpeg(fit(decode(image.thumbnail()).pixels, _THUMBNAIL), 80)
    return Picture(base64.b64encode(small).decode(), image.decided, (image.decided == State.YES) == good)


def _plots(result: DemoResult) -> Mapping[str, str]:
    """SVG plots by name. Matplotlib is told to keep what it writes in our cache folder, not in the user's settings."""
    os.environ.setdefault("MPLCONFIGDIR", str(user_cache_path("holotype") / "matplotlib"))
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "holotype", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        plots = {
            "votes": _votes_plot(result),
            "quality": _quality_plot(result),
            "workers": _workers_plot(result),
        }
        if result.scores is not None:
            plots["errors"] = _errors_plot(result.scores)
    return plots


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Any) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _votes_plot(result: DemoResult) -> str:
    figure, axes = _figure(3.5, 2.9)
    numbers = sorted(result.votes_per_candidate)
    axes.bar(numbers, [result.votes_per_candidate[number] for number in numbers], color=_ADAPTIVE)
    axes.axvline(5, color=_INK, linestyle="--", linewidth=1)
    axes.text(5.1, axes.get_ylim()[1] * 0.93, "majority: 5 for all", color=_INK)
    axes.set(xlabel="votes asked", ylabel="candidates", xticks=range(1, max([5, *numbers]) + 1))
    return _svg(figure)


def _quality_plot(result: DemoResult) -> str:
    figure, axes = _figure(3.7, 2.9)
    rows = [row for row in result.rows if row.adaptive.good][::-1]
    places = np.arange(len(rows))
    axes.barh(places + 0.2, [row.adaptive.recall for row in rows], 0.38, color=_ADAPTIVE, label="adaptive")
    axes.barh(places - 0.2, [row.fixed.recall for row in rows], 0.38, color=_FIXED, label="majority of five")
    axes.set(yticks=places, yticklabels=[row.name for row in rows], xlim=(0, 1.02), xlabel="recall of good images")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return _svg(figure)


def _workers_plot(result: DemoResult) -> str:
    figure, axes = _figure(3.3, 2.9)
    confusion = result.consensus.confusion
    votes = np.bincount(result.ballot.worker, minlength=result.ballot.workers)
    axes.scatter(
        confusion[:, 0, Answer.NO],
        confusion[:, 1, Answer.YES],
        s=4 + votes,
        color=_ADAPTIVE,
        alpha=0.6,
        edgecolors="none",
    )
    axes.set(
        xlabel="specificity (no on bad images)",
        ylabel="sensitivity (yes on good ones)",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    axes.plot([0, 1], [1, 0], color=_FIXED, linestyle="--", linewidth=1)
    axes.text(0.05, 0.05, "below the line:\nworse than a coin", color=_INK, fontsize=8)
    return _svg(figure)


def _errors_plot(scores: Scores) -> str:
    figure, axes = _figure(4, 2.8)
    guesses = np.arange(1, len(scores.flat) + 1)
    values = [estimate.value for estimate in scores.flat]
    bounds: Sequence[Sequence[float]] = [
        [e.value - e.low for e in scores.flat],
        [e.high - e.value for e in scores.flat],
    ]
    axes.errorbar(guesses, values, yerr=bounds, fmt="o-", color=_ADAPTIVE, capsize=3)
    axes.set(xlabel="guesses", ylabel="flat error", ylim=(0, 1.02), xticks=guesses)
    return _svg(figure)
