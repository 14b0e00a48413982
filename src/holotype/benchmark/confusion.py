"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holotype.benchmark.values import MISSING, Guesses, Ints, Labels


@dataclass(frozen=True, slots=True)
class Confused:
    """Images labelled `label` that were guessed to be `guess`: `count` of the `images` with that label."""

    label: str
    guess: str
    count: int
    images: int


def most_confused(truth: Labels, guesses: Guesses, most: int = 20) -> list[Confused]:
    """The most frequent pairs of a label and a wrong first guess; equally frequent ones by name.

    A guess that is one of an image's other labels is not wrong.
    """
    first = guesses.guesses[truth.image, 0]
    classes = len(truth.classes)
    right = np.bincount(truth.image, first == truth.label, len(truth.items)) > 0
    wrong = ~right[truth.image] & (first != MISSING)
    pairs, counts = np.unique(truth.label[wrong] * classes + first[wrong], return_counts=True)
    images = np.bincount(truth.label, minlength=classes)
    order = np.lexsort((pairs, -counts))[:most]
    return [
        Confused(truth.classes[label], truth.classes[guess], int(counts[at]), int(images[label]))
        for at, label, guess in zip(order, *np.divmod(pairs[order], classes), strict=True)
    ]


def confusion(truth: Labels, guesses: Guesses, group: Ints, groups: Sequence[str]) -> Ints:
    """How many images of each group of classes were guessed to be of each, ``(groups, groups + 2)``.

    `group` ``(classes,)`` is the number of the one of `groups` that a class is in, such as a subtree of an ontology,
    `MISSING` for none. The last but one column counts guesses of no group, the last one missing guesses; labels of no
    group are left out. An image of several labels counts for each.
    """
    first = guesses.guesses[truth.image, 0]
    of = np.append(np.where(group == MISSING, len(groups), group), len(groups) + 1)
    rows, columns = of[truth.label], of[first]
    width = len(groups) + 2
    inside = rows < len(groups)
    return np.bincount(rows[inside] * width + columns[inside], minlength=len(groups) * width).reshape(-1, width)
