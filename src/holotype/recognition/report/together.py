"""Applications that were measured on the same images, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from holotype.recognition.report.applied import Applied, Curve, Recognized

PANELS: Final = 12
"""So many classes have a plot of their own: of the best, the middle and the worst."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """Methods that were measured on the same images of the same classes, and what their applications say of it."""

    abouts: tuple[str, ...]
    methods: tuple[str, ...]
    mean: tuple[Curve, ...]
    classes: tuple[Recognized, ...]

    def ranked(self) -> list[Recognized]:
        """The classes, those first whose best method is best."""
        return sorted(self.classes, key=lambda one: (-max((curve.auc for curve in one.curves), default=0), one.wnid))

    def shown(self) -> list[Recognized]:
        """The classes that have plots of their own."""
        ranked, part = self.ranked(), PANELS // 3
        if len(ranked) <= PANELS:
            return ranked
        first = (len(ranked) - part) // 2
        return [*ranked[:part], *ranked[first : first + part], *ranked[-part:]]


def recognitions(results: Sequence[Applied]) -> list[Recognition]:
    """The applications that tell classes apart; together those of as many images of the same classes. A method that
    several of these have is called by the application, too."""
    groups: dict[object, list[Applied]] = {}
    for one in results:
        if one.mean or one.classes:
            same = tuple(sorted((held.wnid, held.positives, held.negatives) for held in one.classes))
            groups.setdefault(same or one.name, []).append(one)
    return [_together(group) for group in groups.values()]


def _together(group: Sequence[Applied]) -> Recognition:
    times = Counter(method for one in group for method in _methods(one))

    def named(curves: Sequence[Curve], by: Applied) -> tuple[Curve, ...]:
        return tuple(
            replace(one, method=f"{one.method} ({by.name})") if times[one.method] > 1 else one for one in curves
        )

    mean = tuple(curve for one in group for curve in named(one.mean, one))
    of_class: dict[str, Recognized] = {}
    for one in group:
        for held in one.classes:
            before = of_class[held.wnid].curves if held.wnid in of_class else ()
            of_class[held.wnid] = replace(held, curves=(*before, *named(held.curves, one)))
    classes = tuple(of_class.values())
    abouts = tuple(dict.fromkeys(one.about for one in group))
    all_curves = [*mean, *(curve for held in classes for curve in held.curves)]
    return Recognition(abouts, tuple(dict.fromkeys(curve.method for curve in all_curves)), mean, classes)


def _methods(one: Applied) -> set[str]:
    return {curve.method for curve in (*one.mean, *(curve for held in one.classes for curve in held.curves))}
