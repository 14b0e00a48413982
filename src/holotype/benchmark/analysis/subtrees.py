"""The subtrees of an ontology by which confusion is shown: as many as fit on a page, of about the same size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.benchmark.values import Bools, Ints
from holotype.ontology import Ontology

MOST: Final = 14
_LEAST: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Classes divided by subtrees: the `names` of these, and which each class is in, `group` ``(classes,)``."""

    names: tuple[str, ...]
    group: Ints


def divided(classes: Sequence[str], ontology: Ontology, most: int = MOST) -> Division:
    """Divide classes by at most so many subtrees, in the order of the ontology.

    The largest group is divided each time, by the subtree in it that comes nearest to half of it; what is left is
    called other. A class below several is with the first that took it. Raises `UnknownSynset`.
    """
    ranks = np.array([ontology.rank(wnid) for wnid in classes], np.int64)
    held: dict[str, Ints] = {}
    for root in ontology.roots():
        taken = np.concatenate([np.empty(0, np.int64), *held.values()])
        if len(own := np.setdiff1d(np.flatnonzero(_below(root.wnid, ranks, ontology)), taken)):
            held[root.wnid] = own
    whole: set[str] = set()
    while len(held) < most and (left := sorted(held.keys() - whole)):
        largest = max(left, key=lambda wnid: len(held[wnid]))
        part = _nearest_half(held[largest], ranks, ontology)
        if part is None or part in held:
            whole.add(largest)
            continue
        inside = _below(part, ranks[held[largest]], ontology)
        held[part], held[largest] = held[largest][inside], held[largest][~inside]
    return _named(held, len(classes), ontology)


def _below(wnid: str, ranks: Ints, ontology: Ontology) -> Bools:
    found = [(ranks >= start) & (ranks < stop) for start, stop in ontology.ranges(wnid)]
    return np.asarray(np.logical_or.reduce(found), np.bool_)


def _nearest_half(held: Ints, ranks: Ints, ontology: Ontology) -> str | None:
    """The subtree that divides some classes most evenly, two of them at least on its side; None where there is none."""
    counts = np.asarray(ontology.subtree_sums(np.bincount(ranks[held], minlength=len(ontology))), np.int64)
    evenness = np.minimum(counts, len(held) - counts)
    evenness[counts < _LEAST] = 0
    best = int(evenness.argmax())
    return ontology.at_rank(best).wnid if evenness[best] else None


def _named(held: dict[str, Ints], classes: int, ontology: Ontology) -> Division:
    order = sorted(held, key=ontology.rank)
    group = np.empty(classes, np.int64)
    names = []
    for at, wnid in enumerate(order):
        group[held[wnid]] = at
        parted = any(other != wnid and ontology.is_under(other, wnid) for other in order)
        names.append(f"other {ontology[wnid].name}" if parted else ontology[wnid].name)
    return Division(tuple(names), group)
