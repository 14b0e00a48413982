"""The categories whose objects are looked for: synsets with all that is under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holotype.errors import RecognitionError
from holotype.geometry.values import Ints
from holotype.ontology import Ontology
from holotype.releases.loaders import Samples


@dataclass(frozen=True, slots=True, eq=False)
class Category:
    """A synset, the `classes` under it and itself, and the `numbers` of some samples of them, ascending."""

    wnid: str
    name: str
    classes: frozenset[str]
    numbers: Ints


def categories_of(
    samples: Samples, ontology: Ontology, wnids: Sequence[str] = (), most: int = 100, seed: int = 0
) -> list[Category]:
    """Categories of samples: those of some synsets in their order, or else each class that has images, with at most so
    many samples, drawn at random, as every seed draws them.

    Raises `RecognitionError` where there are no samples of one, and `UnknownSynset`.
    """
    wanted = list(dict.fromkeys(wnids)) or [samples.classes[one] for one in np.unique(samples.labels).tolist()]
    if not wanted:
        raise RecognitionError("there are no images to find objects in")
    return [_category(samples, ontology, wnid, most, seed) for wnid in wanted]


def _category(samples: Samples, ontology: Ontology, wnid: str, most: int, seed: int) -> Category:
    synset = ontology[wnid]
    classes = frozenset(one.wnid for one in ontology.descendants(synset)) | {wnid}
    labels = [number for number, one in enumerate(samples.classes) if one in classes]
    numbers = np.flatnonzero(np.isin(samples.labels, labels))
    if not len(numbers):
        raise RecognitionError(f"no image is of {synset.name} ({wnid})")
    drawn = np.sort(np.random.default_rng(seed).permutation(numbers)[:most])
    return Category(wnid, synset.name, classes, drawn)
