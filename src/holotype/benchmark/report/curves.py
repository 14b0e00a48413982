"""Precision by recall of classes, for plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from holotype.benchmark.detection.coco import THRESHOLDS, CocoDetected
from holotype.benchmark.detection.precision import Curves, curves
from holotype.benchmark.detection.rules import Detected
from holotype.benchmark.values import Floats

SHOWN: Final = 6
"""So many classes have their curves shown: of the best, the middle and the worst."""


def curves_of(judged: Any) -> tuple[Curves, str] | None:
    """The curves of what was detected, and at which IoU; None where nothing was detected."""
    judged = getattr(judged, "objects", judged)
    if isinstance(judged, Detected):
        return judged.curves, "at the IoU that the rule asks for"
    if isinstance(judged, CocoDetected):
        found = judged.found[0]
        return curves(judged.truth, found.counted, judged.detections, found.outcomes[0]), f"at IoU {THRESHOLDS[0]:g}"
    return None


def curve(found: Curves, label: int) -> tuple[Floats, Floats]:
    """Recall and precision ``(trues + 1,)`` of a class after each true positive, from none on."""
    inside = slice(int(found.start[label]), int(found.start[label + 1]))
    false = np.asarray(found.false[inside].sum(axis=1)).ravel()
    positives = float(found.positives[[label]].sum())
    true = np.arange(1, len(false) + 1)
    precision = true / (true + np.cumsum(false))
    first = precision[:1] if len(precision) else np.zeros(1)
    return np.append(0.0, true / max(1.0, positives)), np.append(first, precision)


def chosen(precisions: Mapping[str, float]) -> list[str]:
    """The classes of the highest, the middle and the lowest average precision, two of each."""
    order = sorted(precisions, key=lambda name: (-precisions[name], name))
    if len(order) <= SHOWN:
        return order
    middle = len(order) // 2
    return [*order[:2], *order[middle - 1 : middle + 1], *order[-2:]]
