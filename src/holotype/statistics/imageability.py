"""Imageability: the share of workers who can agree what a synset looks like.

A sloth has a look; a conductor of heat has none, or everybody has another in mind. ImageNet's first authors set such
synsets aside (Deng et al., CVPR 2009). Three things tell: who says that nobody can tell, who never finds the gloss in
the quiz, and whether those who vote see the same in the same image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

NO, UNSURE, YES = 0, 1, 2
"""The answers, as `holotype.consensus.votes.Answer` has them."""

LEAST_IMAGES: Final = 20
"""Images with two votes from which on votes say anything."""

LEAST_YES: Final = 5
"""Of those, images that one of the two says yes to: where nobody ever does, nobody says what the synset looks like."""

_KINDS: Final = np.array(
    [[1, 2, 0, 1], [1, 0, 2, 1], [0, 1, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1]], np.float64
)
"""What two answers can be, as `_cells` has them: both yes, both no, one each; yes, no or neither beside unsure."""

_BEFORE: Final = np.array([0.5, 0.5, 0.5, 0.001, 0.001, 0.001])
"""How many images of each there were before any was seen (Jeffreys' prior, but for unsure)."""

DRAWS: Final = 1_000
"""Resamples behind an interval."""


@dataclass(frozen=True, slots=True)
class Imageability:
    """A synset's: the share of workers who can agree what it looks like, with its 5 % and 95 % quantiles; None where
    too few images have two votes.

    Of `workers` who were asked, or said something of it, `cannot` said that nobody can tell, or never found its gloss;
    `kappa` is the agreement beyond chance of the first two votes on each of `images`, by `pairs` of workers.
    """

    wnid: str
    share: float | None
    low: float | None
    high: float | None
    workers: int
    cannot: int
    images: int
    pairs: int
    kappa: float | None


def imageability(wnid: str, answers: Ints, who: Ints, workers: int, cannot: int, seed: int = 2009) -> Imageability:
    """That of a synset from the first two `answers` to each of its images and the numbers of the workers `who` gave
    them, ``(images, 2)`` both, and from how many `workers` there were, of whom so many `cannot` tell.

    Model: a worker who knows what the synset looks like answers by the image, and any other by chance, whatever the
    image. Then two workers agree beyond chance by the product of their chances to know, so that the square root of
    Cohen's kappa is the share of answers by those who know (Batchelder and Romney, "Test theory without an answer key",
    Psychometrika 53, 1988; Klauer and Batchelder, Psychometrika 61, 1996). Unsure agrees with nothing. Those who cannot
    tell by their own word know nothing; the share is of all. Only the first two votes on an image count: a campaign
    stops asking where votes agree, so later ones are a sample of the images on which they do not.

    The interval draws the workers anew, who have each many answers (a pair counts as often as both are drawn; Owen,
    "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007), and what two answers are from its posterior, and
    takes the wider bound of the two; the share who can tell is drawn from its posterior, too, given the voters there
    are, both under Jeffreys' prior. There is none where fewer than `LEAST_IMAGES` images have two votes, or fewer than
    `LEAST_YES` a yes among these: nobody has then said what the synset looks like, be it because nobody can or because
    no candidate shows it.

    What is overlooked counts as not known, so compare synsets with each other. Below some .3 chance alone can make as
    much of it, which the lower bound says.

    >>> images, pairs = np.array([2, 0] * 20), np.arange(40) // 10
    >>> imageability("n02084071", np.c_[images, images], np.c_[pairs, pairs + 4], 8, 0).share
    1.0
    """
    first, second = answers[:, 0], answers[:, 1]
    _, pair = np.unique(np.sort(who, axis=1), axis=0, return_inverse=True)
    about = wnid, workers, cannot, len(first), len(np.unique(pair))
    if len(first) < LEAST_IMAGES or int(((first == YES) | (second == YES)).sum()) < LEAST_YES:
        return _of(about)
    cells, rng = _cells(first, second), np.random.default_rng(seed)
    seen = (cells[:, None] == _KINDS[None]).all(axis=2).sum(axis=0)
    again = rng.dirichlet(seen + _BEFORE, DRAWS) @ _KINDS, _by_workers(cells, who, pair, rng)
    kappa, able = float(_kappa(cells.sum(axis=0))), rng.beta(len(np.unique(who)) + 0.5, cannot + 0.5, DRAWS)
    share = (1 - cannot / workers) * float(np.sqrt(max(kappa, 0.0)))
    drawn = [able[: len(sums)] * np.sqrt(np.maximum(_kappa(sums), 0.0)) for sums in again]
    bounds = np.array([np.quantile(shares, (0.05, 0.95)) for shares in drawn if len(shares)])
    return _of(about, share, min(share, float(bounds.min())), max(share, float(bounds.max())), kappa)


def _by_workers(cells: Floats, who: Ints, pair: Ints, rng: np.random.Generator) -> Floats:
    """Sums of cells with the workers drawn anew, ``(draws, 4)``; draws without any pair are left out."""
    sums = np.stack([np.bincount(pair, column) for column in cells.T], axis=1)
    place = np.zeros(len(sums), np.int64)
    place[pair] = np.arange(len(pair))
    codes, of = np.unique(who[place], return_inverse=True)
    times = rng.multinomial(len(codes), np.full(len(codes), 1 / len(codes)), DRAWS)
    one, two = of.reshape(-1, 2).T
    drawn = (times[:, one] * times[:, two]) @ sums
    return np.asarray(drawn[drawn[:, 3] > 0])


def _of(
    about: tuple[str, int, int, int, int],
    share: float | None = None,
    low: float | None = None,
    high: float | None = None,
    kappa: float | None = None,
) -> Imageability:
    wnid, workers, cannot, images, pairs = about
    return Imageability(wnid, share, low, high, workers, cannot, images, pairs, kappa)


def _cells(first: Ints, second: Ints) -> Floats:
    """Of each image whether both say the same, how many of the two say yes and no, and 1, ``(images, 4)``."""
    same = (first == second) & (first != UNSURE)
    said = [(first == answer).astype(np.int64) + (second == answer) for answer in (YES, NO)]
    return np.stack([same, *said, np.ones(len(first))], axis=1).astype(np.float64)


def _kappa(sums: Floats) -> Floats:
    """Agreement beyond chance of two raters who are any two (Scott's pi), from sums of `_cells`, ``(..., 4)``."""
    same, yes, no, images = np.moveaxis(np.asarray(sums, np.float64), -1, 0)
    chance = (yes / (2 * images)) ** 2 + (no / (2 * images)) ** 2
    return np.asarray((same / images - chance) / np.maximum(1 - chance, 1e-9))
