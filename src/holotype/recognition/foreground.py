"""How much more likely words are in objects than in the background: of a category, and of one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from holotype.geometry.values import Bools, Floats
from holotype.recognition.words import Cells, Words


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What is believed of objects before any is seen. The defaults were chosen on one half of 443 real images.

    An object is in the middle: a cell's log-odds fall with its distance from there, of which `spread` (in sides of the
    picture) is the standard deviation, from `middle` on. It takes about `side` of the picture's width and height, and
    `sizing` is the weight of that. A category's words are its own as far as there are more than `shared` cells of them,
    and a picture's as far as there are more than `local`. The outermost cells of a picture count `rim` times as its
    background, whether its box holds them or not. Boxes and words are found in so many `rounds`.
    """

    rounds: int = 5
    middle: float = 0.5
    spread: float = 0.3
    side: float = 0.75
    sizing: float = 1.0
    shared: float = 300.0
    local: float = 50.0
    rim: float = 2.0

    def __post_init__(self) -> None:
        if self.rounds < 1 or min(self.spread, self.shared, self.local) <= 0:
            raise ValueError("there is at least one round, and spread, shared and local are above 0")

    def value(self) -> dict[str, Any]:
        """This, of values that JSON has."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class General:
    """How frequent words are in all images: `shapes` and `colours` ``(words,)``, each summing up to 1."""

    shapes: Floats
    colours: Floats

    @staticmethod
    def of(pictures: Sequence[Cells], shapes: int, colours: int) -> General:
        """The frequencies in pictures of vocabularies of so many words."""
        return General(
            _frequencies([one.shapes for one in pictures], shapes),
            _frequencies([one.colours for one in pictures], colours),
        )


def _frequencies(words: Sequence[Words], number: int) -> Floats:
    counts = sum((np.bincount(one.ravel(), minlength=number) for one in words), np.ones(number))
    return np.asarray(counts / counts.sum(), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """How frequent words are in `objects` and in the `background`, ``(words,)`` each."""

    objects: Floats
    background: Floats

    def log_odds(self, words: Words) -> Floats:
        """The log-odds of an object at each of some words."""
        return np.asarray(np.log(self.objects / self.background)[words], np.float64)


def log_odds(pictures: Sequence[Cells], inside: Sequence[Bools], general: General, held: Beliefs) -> list[Floats]:
    """The log-odds of an object in each cell of each picture, ``(rows, columns)``, where `inside` of the boxes of
    ``(rows, columns)`` they are believed to be.

    Words of shape and of colour are taken as independent. Those of colour count for the picture, too: its own
    background looks alike. Words of shape come too rarely in one picture to say that.
    """
    shapes = of_category([one.shapes for one in pictures], inside, general.shapes, held)
    colours = of_category([one.colours for one in pictures], inside, general.colours, held)
    return [
        shapes.log_odds(one.shapes)
        + colours.log_odds(one.colours)
        + of_picture(one.colours, box, colours, held).log_odds(one.colours)
        for one, box in zip(pictures, inside, strict=True)
    ]


def of_category(words: Sequence[Words], inside: Sequence[Bools], general: Floats, held: Beliefs) -> Contrast:
    """The contrast inside and outside of the boxes of all pictures; half of the background is that of all images."""
    objects, others = np.zeros_like(general), np.zeros_like(general)
    for one, box in zip(words, inside, strict=True):
        objects += _counts(one, box, len(general))
        others += _counts(one, ~box, len(general))
    outside = _smoothed(others, general, held.shared)
    return Contrast(_smoothed(objects, general, held.shared), (outside + general) / 2)


def of_picture(words: Words, inside: Bools, category: Contrast, held: Beliefs) -> Contrast:
    """The contrast inside and outside of the box of one picture."""
    rim = np.ones(words.shape)
    rim[1:-1, 1:-1] = 0
    objects, others = (_counts(words, weights, len(category.objects)) for weights in (inside, ~inside + held.rim * rim))
    return Contrast(
        _smoothed(objects, category.objects, held.local), _smoothed(others, category.background, held.local)
    )


def _counts(words: Words, weights: Floats | Bools, number: int) -> Floats:
    return np.asarray(np.bincount(words.ravel(), weights.ravel(), number), np.float64)


def _smoothed(counts: Floats, believed: Floats, weight: float) -> Floats:
    """Frequencies of counts to which so many were added that are as is `believed`."""
    return np.asarray((counts + weight * believed) / (counts.sum() + weight), np.float64)
