"""Where the objects of a category are, from images alone: a model of visual words against a background.

After section 4.3 of Deng et al. (CVPR 2009), which takes the model of OPTIMOL (Li, Wang and Fei-Fei, CVPR 2007): the
words of a category's objects are learned against those of the background, every cell of a picture is as likely to be of
an object as its words are, and one box is put round the region that gathers most. In place of its sampler here are two
steps by turns: count the words inside and outside of the boxes; put each box where the log-odds sum up to most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from holotype.geometry.values import Bools, Floats, Ints
from holotype.recognition.foreground import Beliefs, General, log_odds
from holotype.recognition.rectangles import mask, rectangles, size_prior, sums
from holotype.recognition.words import Cells

_START: Final = 0.35
"""The first words of objects are those at most so far from the centre, in sides of the picture."""


def localize(pictures: Sequence[Cells], general: General, beliefs: Beliefs | None = None) -> Floats:
    """A box of the object in each picture of one category: ``(pictures, 4)``, left, top, right and bottom edge, in
    shares of the picture's width and height.

    `general` is of the images of many categories: what is as frequent everywhere is no object of this one. The order of
    the pictures does not matter, and every picture has a box, whether it shows the category or not.
    """
    held = beliefs or Beliefs()
    away = [_away(*one.shape) for one in pictures]
    inside: list[Bools] = [one <= _START**2 for one in away]
    found: list[Ints] = []
    for _ in range(held.rounds):
        odds = log_odds(pictures, inside, general, held)
        found = [_best(one, far, held) for one, far in zip(odds, away, strict=True)]
        inside = [mask(box, *one.shape) for box, one in zip(found, pictures, strict=True)]
    shares = [_shares(box, *one.shape) for box, one in zip(found, pictures, strict=True)]
    return np.array(shares, np.float64).reshape(-1, 4)


def _away(rows: int, columns: int) -> Floats:
    """The squared distance of cells from the centre, in sides of the picture."""
    down, across = ((np.arange(length) + 0.5) / length - 0.5 for length in (rows, columns))
    return np.asarray(down[:, None] ** 2 + across[None] ** 2, np.float64)


def _best(odds: Floats, away: Floats, held: Beliefs) -> Ints:
    prior = held.middle - away / (2 * held.spread**2)
    rows, columns = odds.shape
    scores = sums(odds + prior) + size_prior(rows, columns, held.side, held.sizing)
    return np.asarray(rectangles(rows, columns)[int(scores.argmax())], np.int64)


def _shares(rectangle: Ints, rows: int, columns: int) -> Floats:
    top, left, bottom, right = rectangle.tolist()
    return np.array([left / columns, top / rows, right / columns, bottom / rows])


def in_pixels(shares: Floats, sizes: Ints) -> Ints:
    """Boxes ``(boxes, 4)`` in shares of pictures of so many pixels ``(boxes, 2)``, width and height, as inclusive
    pixels: all those that a box touches by more than a thousandth.

    >>> in_pixels(np.array([[0.0, 0.25, 0.5, 1.0]]), np.array([[100, 40]])).tolist()
    [[0, 10, 49, 39]]
    """
    sides = np.tile(sizes, 2)
    first = np.floor(shares[:, :2] * sides[:, :2] + 0.001)
    last = np.ceil(shares[:, 2:] * sides[:, 2:] - 0.001) - 1
    return np.concatenate([first, np.maximum(first, last)], axis=1).astype(np.int64)
