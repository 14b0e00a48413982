"""The page of the applications: one file without scripts, with its plots and pictures inside."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from holotype.benchmark.report.names import fit_to_show
from holotype.recognition.report import plots
from holotype.recognition.report.applied import Applied, Discovered, Recognized
from holotype.recognition.report.together import Recognition, recognitions
from holotype.statistics.pages import drawing, fill_page

ROWS: Final = 300
"""So many classes, and so many categories, are in a table."""
PICTURED: Final = 40
"""So many categories are shown with pictures."""


@dataclass(frozen=True, slots=True)
class Told:
    """Methods on the same images: a plot of mean curves and one of classes, "" where there is none, and the AUC of each
    class by method."""

    recognition: Recognition
    mean: str
    classes: str
    rows: Sequence[tuple[Recognized, Mapping[str, float]]]


def render(results: Sequence[Applied]) -> str:
    """The page of some results: the same bytes for the same results. Needs ``holotype[demo]``."""
    with drawing():
        told = [_told(one) for one in recognitions(results)]
        by_height = [(one, _methods(one), plots.heights(one.heights)) for one in results if one.heights]
    return fill_page(
        resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8"),
        results=results,
        told=told,
        by_height=by_height,
        found=[(one, pictured(one.objects)) for one in results if one.objects],
        settings={one.name: list(_lines(one.settings)) for one in results},
        most=ROWS,
        called=fit_to_show,
        number=lambda value: "–" if value is None else f"{value:.3f}",
        percent=lambda share: f"{100 * share:.2f}%",
        figure=lambda value: f"{value:,.0f}" if float(value).is_integer() else f"{value:.3f}",
        data=lambda picture: base64.b64encode(picture).decode(),
    )


def _told(one: Recognition) -> Told:
    looks, shown = plots.colours(one.methods), one.shown()
    names = [fit_to_show(held.name, 26) for held in shown]
    return Told(
        one,
        plots.mean_curves(one.mean, looks) if one.mean else "",
        plots.class_curves(shown, names, looks) if shown else "",
        [(held, {curve.method: curve.auc for curve in held.curves}) for held in one.ranked()],
    )


def _methods(one: Applied) -> list[str]:
    return list(dict.fromkeys(method for row in one.heights for method in row.aucs))


def pictured(objects: Sequence[Discovered]) -> list[Discovered]:
    """The categories that are shown with pictures: the first of those that have any."""
    return [one for one in objects if one.shown or one.viewpoints][:PICTURED]


def _lines(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Settings as lines: those inside of others are called by both."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _lines(value, f"{before}{name}, ")
        else:
            yield f"{before}{name}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
