"""What is analysed of a submission: its metrics by item, and those of its classes, as means over either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np

from holotype.benchmark import localisation
from holotype.benchmark.analysis.parts import Draws, PartTable, each_of
from holotype.benchmark.classification import MACRO_GUESSES, TOP, by_class
from holotype.benchmark.judged import Floats, Judged, Means, Metric, by_item
from holotype.benchmark.values import Bools, Boxes, Guesses, Labels, Places

_LIKED: Final = (("localisation error", "top-5 error"), ("top-1 error", "top-5 error"))
_MOST: Final = 2
AP: Final = Metric("average precision", "higher", "of a class, by the rule of the task")


@runtime_checkable
class ByClass(Protocol):
    """What was judged by class."""

    def average_precision(self) -> Floats:
        """The average precision of each class ``(classes,)``."""


def item_means(judged: Judged) -> Means | None:
    """The one or two metrics by which items are analysed, of those that are means over items; None for none."""
    values = {metric: by_item(judged, at) for at, metric in enumerate(judged.metrics)}
    found = {metric: column for metric, column in values.items() if column is not None}
    named = {metric.name: metric for metric in found}
    liked = next(([named[name] for name in names] for names in _LIKED if all(name in named for name in names)), None)
    chosen = (liked or list(found))[:_MOST]
    if not chosen:
        return None
    return Means(judged.items, tuple(chosen), np.stack([found[metric] for metric in chosen], axis=1))


def class_means(truth: Any, submission: Any, judged: Judged) -> Means | None:
    """The metrics of each class that the truth has, NaN for one without any; None where there are no classes."""
    if isinstance(truth, Labels) and isinstance(submission, Guesses):
        metrics: Sequence[Metric] = [TOP[k - 1] for k in MACRO_GUESSES]
        known = by_class(truth, submission)
        nothing: Mapping[str, float] = {metric.name: np.nan for metric in metrics}
        rows = [[known.get(name, nothing)[metric.name] for metric in metrics] for name in truth.classes]
        return Means(truth.classes, metrics, np.array(rows, np.float64).reshape(-1, len(metrics)))
    if isinstance(truth, Boxes) and isinstance(submission, Places) and isinstance(judged, Means):
        named = [metric.name for metric in judged.metrics]
        columns = [named.index(name) for name in _LIKED[0] if name in named] or [0]
        values = localisation.by_class(truth, judged)[:, columns]
        return Means(truth.classes, [judged.metrics[at] for at in columns], values)
    judged = getattr(judged, "objects", judged)
    if isinstance(judged, ByClass):
        return Means(classes_of(truth), (AP,), judged.average_precision()[:, None])
    return None


def classes_of(truth: Any) -> Sequence[str]:
    """The names of a truth's classes, none where it has no classes."""
    found: Sequence[str] = getattr(getattr(truth, "boxes", truth), "classes", ())
    return found


def confused(truth: Labels, guesses: Guesses, pairs: Sequence[tuple[str, str]], draws: Draws) -> PartTable:
    """How often images of a label are first guessed to be another class, for `pairs` of these two, a row each.

    A guess that is one of an image's other labels is not wrong.
    """
    number = {name: at for at, name in enumerate(truth.classes)}
    parts = {str(at): having(truth, number[label]) for at, (label, _) in enumerate(pairs)}
    hits = [_taken_for(truth, guesses, number[guess]) for _, guess in pairs]
    return each_of("most confused pairs", "images", SHARE, parts, hits, draws)


def _taken_for(truth: Labels, guesses: Guesses, guess: int) -> Bools:
    """Which images are first guessed to be of a class that is none of theirs ``(items,)``."""
    return np.asarray((guesses.guesses[:, 0] == guess) & ~having(truth, guess), np.bool_)


def having(truth: Labels, label: int) -> Bools:
    """Which images have a label ``(items,)``."""
    return np.bincount(truth.image[truth.label == label], minlength=len(truth.items)) > 0


SHARE: Final = Metric("share", "lower", "share of the images of a label whose first guess is another class")


def example_images(truth: Labels, guesses: Guesses, label: str, guess: str) -> list[str]:
    """The ids of images of a label that were first guessed to be another class, in their order."""
    number = {name: at for at, name in enumerate(truth.classes)}
    if guess not in number:
        return []
    found = having(truth, number[label]) & _taken_for(truth, guesses, number[guess])
    return [truth.items[at] for at in np.flatnonzero(found).tolist()]
