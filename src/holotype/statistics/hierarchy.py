"""Hierarchy: how densely an ontology is filled (Deng et al., CVPR 2009, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.ontology import Ontology, Synset
from holotype.statistics.histogram import Ints

SUBTREES: Final = 12
"""Rows of the table of subtrees; the ImageNet of 2009 had twelve."""


@dataclass(frozen=True, slots=True)
class Level:
    """One depth of the ontology: its synsets, those that are `filled` (have images of their own), and their images."""

    depth: int
    synsets: int
    filled: int
    images: int


@dataclass(frozen=True, slots=True)
class Subtree:
    """A synset with everything below it; counts as in `Level`."""

    wnid: str
    name: str
    synsets: int
    filled: int
    images: int

    @property
    def density(self) -> float:
        """The share of its synsets that are filled."""
        return self.filled / self.synsets


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where in an ontology the images are: all of its `levels`, and its fullest `subtrees`, which may overlap.

    Instances, such as Paris, have no depth and are on no level.
    Of the filled synsets, `internal` have other filled ones below them, `mean_below` in the mean; `leaves` have none.
    """

    levels: tuple[Level, ...]
    subtrees: tuple[Subtree, ...]
    internal: int
    leaves: int
    mean_below: float


def hierarchy(ontology: Ontology, images: Ints) -> Hierarchy:
    """The hierarchy of `images`, the number each synset has, shape ``(len(ontology),)``, by rank."""
    fill = _Fill(ontology, images)
    filled = map(ontology.at_rank, np.flatnonzero(images).tolist())
    # What has no children has none filled; asking for its subtree all the same would take seconds over all.
    below = [fill.subtree(synset).filled - 1 if ontology.height(synset) else 0 for synset in filled]
    inner = [count for count in below if count]
    return Hierarchy(
        _levels(ontology, images),
        _fullest(ontology, fill),
        len(inner),
        len(below) - len(inner),
        sum(inner) / len(inner) if inner else 0.0,
    )


def _levels(ontology: Ontology, images: Ints) -> tuple[Level, ...]:
    depths = ontology.depths()
    counted = depths > 0
    counted[[ontology.rank(root) for root in ontology.roots()]] = True
    depths, images = depths[counted], images[counted]
    synsets = np.bincount(depths)
    filled = np.bincount(depths[images > 0], minlength=len(synsets))
    held = np.zeros(len(synsets), np.int64)
    np.add.at(held, depths, images)
    columns = zip(synsets.tolist(), filled.tolist(), held.tolist(), strict=True)
    return tuple(Level(depth, *row) for depth, row in enumerate(columns))


class _Fill:
    """Sums over subtrees, by running sums over ranks."""

    def __init__(self, ontology: Ontology, images: Ints) -> None:
        self._ontology = ontology
        self._images = np.concatenate([[0], np.cumsum(images)])
        self._filled = np.concatenate([[0], np.cumsum(images > 0)])

    def own(self, wnid: str) -> int:
        """How many images a synset has itself."""
        rank = self._ontology.rank(wnid)
        return int(self._images[rank + 1] - self._images[rank])

    def subtree(self, synset: Synset) -> Subtree:
        ranges = self._ontology.ranges(synset)
        filled = sum(int(self._filled[stop] - self._filled[start]) for start, stop in ranges)
        images = sum(int(self._images[stop] - self._images[start]) for start, stop in ranges)
        return Subtree(synset.wnid, synset.name, sum(stop - start for start, stop in ranges), filled, images)


def _fullest(ontology: Ontology, fill: _Fill) -> tuple[Subtree, ...]:
    """Open the subtree with the most images, again and again, until there are enough of them.

    A synset with most of its images for itself stays closed. Those that one which is opened has itself are in no row.
    """
    shown = {root.wnid: fill.subtree(root) for root in ontology.roots()}
    seen, whole = set(shown), set[str]()
    while len(shown) < SUBTREES and (closed := shown.keys() - whole):
        fullest = max(closed, key=lambda wnid: (shown[wnid].images, -ontology.rank(wnid)))
        children = [child for child in map(fill.subtree, ontology.children(fullest)) if child.images]
        if children and 2 * fill.own(fullest) <= shown[fullest].images:
            del shown[fullest]
            shown |= {child.wnid: child for child in children if child.wnid not in seen}
            seen |= {child.wnid for child in children}
        else:
            whole.add(fullest)
    held_most = sorted(shown.values(), key=lambda subtree: (-subtree.images, ontology.rank(subtree.wnid)))
    return tuple(subtree for subtree in held_most if subtree.images)[:SUBTREES]
