"""The last layer of a classifier by itself: chances of candidates from embeddings that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from holotype.errors import RecognitionError
from holotype.ontology import Ontology
from holotype.recognition.neighbours import BLOCK, Rows

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The last layer of a network that tells `classes` apart, wnids in class order: `weight` ``(classes, width)`` and
    `bias` ``(classes,)``; `digest` tells what is below it, whose embeddings it takes."""

    classes: tuple[str, ...]
    weight: Floats
    bias: Floats
    digest: str

    def __post_init__(self) -> None:
        if len(self.weight) != len(self.classes) or len(self.bias) != len(self.classes):
            raise RecognitionError(f"{len(self.weight):,} outputs do not tell {len(self.classes):,} classes apart")

    def probabilities(self, rows: Rows) -> Floats:
        """The softmax of the outputs for embeddings ``(n, width)``: ``(n, classes)``."""
        return np.asarray(softmax(rows.astype(np.float32) @ self.weight.T + self.bias, axis=1), np.float32)


def shown_by(classes: Sequence[str], ontology: Ontology, wnids: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which classes are a synset or below it, for each of `wnids`: ``(wnids, classes)``. Classes that the ontology does
    not have are below nothing but themselves."""
    place = {wnid: number for number, wnid in enumerate(wnids)}
    found = np.zeros((len(wnids), len(classes)), np.bool_)
    for column, wnid in enumerate(classes):
        above = {one.wnid for one in ontology.ancestors(ontology[wnid])} if wnid in ontology else set()
        for one in above | {wnid}:
            if one in place:
                found[place[one], column] = True
    return found


def chances(head: Head, rows: Rows, asked: Ints, shown: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The chance that each row ``(n, width)`` shows the synset whose number is asked ``(n,)``: the sum over the classes
    that show it (`shown_by`); NaN where no class does."""
    found = np.full(len(rows), np.nan)
    silent: npt.NDArray[np.bool_] = ~np.asarray(shown.any(axis=1))
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        told = np.einsum("nc,nc->n", head.probabilities(rows[part]).astype(np.float64), shown[asked[part]])
        found[part] = np.where(silent[asked[part]], np.nan, np.minimum(told, 1))
    return found
