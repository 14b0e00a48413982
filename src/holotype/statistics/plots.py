"""Plots of statistics: as SVG, and as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from holotype.statistics.diversity import Diversity, Ranking
from holotype.statistics.hierarchy import Level
from holotype.statistics.histogram import Bin
from holotype.statistics.pages import COLOUR, PALE, drawing, figure_of, svg_of
from holotype.statistics.statistics import Statistics

ENDS: Final = 12
"""So many of the most and of the least diverse synsets are shown."""

Name = Callable[[str], str]
_EIGHTHS = " ▏▎▍▌▋▊▉"


def text_bars(bins: Sequence[Bin], width: int = 40) -> list[str]:
    """A histogram as lines of text, without empty bins at its ends; the longest bar is `width` characters long.

    >>> for line in text_bars([Bin("1–9", 30), Bin("10+", 75)], width=10):
    ...     print(line)
    1–9 ████       30
    10+ ██████████ 75
    """
    full = [place for place, bar in enumerate(bins) if bar.count]
    shown = bins[full[0] : full[-1] + 1] if full else []
    most = max((bar.count for bar in shown), default=0)
    left = max((len(bar.label) for bar in shown), default=0)
    right = len(f"{most:,}")
    return [f"{bar.label:>{left}} {_bar(bar.count / most, width)} {bar.count:>{right},}" for bar in shown]


def _bar(share: float, width: int) -> str:
    whole, eighths = divmod(round(share * width * 8), 8)
    return ("█" * whole + _EIGHTHS[eighths].strip()).ljust(width)


def ends(ranking: Ranking) -> tuple[Sequence[Diversity], Sequence[Diversity]]:
    """The most and the least diverse synsets, no synset in both."""
    return ranking.synsets[:ENDS], ranking.synsets[ENDS:][-ENDS:]


def plots(statistics: Statistics, name: Name) -> Mapping[str, str]:
    """SVG plots by what they show; `name` gives a wnid's name."""
    with drawing():
        found = {
            "scale": _columns(statistics.scale.histogram, "images", "synsets"),
            "hierarchy": _levels_plot(statistics.hierarchy.levels),
        }
        if statistics.sizes is not None:
            found["pixels"] = _columns(statistics.sizes.pixels, "pixels", "images")
            found["aspects"] = _columns(statistics.sizes.aspects, "width to height", "images")
        if statistics.objects is not None:
            found["per_image"] = _columns(statistics.objects.per_image, "boxes", "images")
            found["scales"] = _columns(statistics.objects.scales, "share of the image", "boxes")
        if statistics.boxing is not None and statistics.boxing.agreement is not None:
            found["agreement"] = _columns(statistics.boxing.agreement.overlaps, "IoU with the box", "drawings")
        if statistics.diversity is not None and statistics.diversity.synsets:
            found["diversity"] = _diversity_plot(statistics.diversity, name)
    return found


def _columns(bins: Sequence[Bin], what: str, of: str) -> str:
    figure, axes = figure_of(3.7, 2.9)
    places = np.arange(len(bins))
    axes.bar(places, [bar.count for bar in bins], color=COLOUR)
    axes.set(xlabel=what, ylabel=of, xticks=places)
    axes.set_xticklabels([bar.label for bar in bins], rotation=60, ha="right", rotation_mode="anchor", fontsize=7)
    return svg_of(figure)


def _levels_plot(levels: Sequence[Level]) -> str:
    figure, axes = figure_of(3.7, 2.9)
    depths = [level.depth for level in levels]
    axes.bar(depths, [level.synsets for level in levels], color=PALE, label="in the ontology")
    axes.bar(depths, [level.filled for level in levels], color=COLOUR, label="with images")
    axes.set(xlabel="depth", ylabel="synsets")
    axes.legend(frameon=False)
    return svg_of(figure)


def _diversity_plot(ranking: Ranking, name: Name) -> str:
    most, least = ends(ranking)
    shown = [*most, *least][::-1]
    figure, axes = figure_of(3.7, 0.6 + 0.16 * len(shown))
    axes.barh(range(len(shown)), [len(one.png) for one in shown], color=[COLOUR] * len(least) + [PALE] * len(most))
    axes.set(xlabel="bytes of the mean image", yticks=range(len(shown)), yticklabels=[name(one.wnid) for one in shown])
    axes.tick_params(axis="y", labelsize=7)
    return svg_of(figure)
