"""The hierarchy of some classes, as tables that losses look things up in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.hierarchical import lineage
from holotype.benchmark.labelled import parents
from holotype.benchmark.values import MISSING
from holotype.ontology import Ontology

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST: Final = 20.0
"""The most that a level of `Levels` counts, of the authors' code."""


@dataclass(frozen=True, slots=True, eq=False)
class Marginals:
    """The synsets that are, or are above, some of `classes`: of those that are above the same ones the lowest, and none
    that is above all, of which nothing can be learned.

    Pair ``i`` says that `member` ``(pairs,)``, a class, is `node` ``(pairs,)`` or under it; pairs are sorted by node,
    and then by class. `depth` ``(nodes,)`` is how many of the nodes are above each; `own` ``(classes,)`` the node of a
    class itself with those under it, -1 where that is all classes.
    """

    classes: tuple[str, ...]
    nodes: tuple[str, ...]
    node: Ints
    member: Ints
    depth: Ints
    own: Ints

    def weights(self, decay: float = 0.0) -> Floats:
        """How much each node counts where a class is right, ``(pairs,)``: the class itself ``exp(-decay * depth)``, and
        each node above it by how much that is more than one deeper.

        With no decay only the class itself counts, and with any decay it is 1 in all where every class has depth 0. On
        a tree this is the hierarchical cross-entropy of Bertinetto et al. (CVPR 2020, section 3.1), whose conditional
        probabilities are written out; here a node may have several parents.
        """
        of_depth = np.exp(-decay * np.arange(self.depth.max(initial=0) + 2.0))
        depth = self.depth[self.node]
        mine = self.own[self.member] == self.node
        return np.where(mine, of_depth[depth], of_depth[depth] - of_depth[depth + 1])


def marginals(classes: Sequence[str], ontology: Ontology) -> Marginals:
    """The hierarchy above `classes`, wnids in class order. Raises `UnknownSynset`."""
    above = [[wnid, *(one.wnid for one in ontology.ancestors(wnid))] for wnid in classes]
    members: defaultdict[str, list[int]] = defaultdict(list)
    for number, wnids in enumerate(above):
        for wnid in wnids:
            members[wnid].append(number)
    lowest: dict[tuple[int, ...], str] = {}
    for wnid in sorted(members, key=lambda wnid: (ontology.height(wnid), ontology.rank(wnid))):
        lowest.setdefault(tuple(members[wnid]), wnid)
    kept = sorted((wnid for found, wnid in lowest.items() if len(found) < len(classes)), key=ontology.rank)
    place = {wnid: number for number, wnid in enumerate(kept)}
    stands = {wnid: place.get(lowest[tuple(found)], MISSING) for wnid, found in members.items()}
    depth = [len({stands[one.wnid] for one in ontology.ancestors(wnid)} - {MISSING, place[wnid]}) for wnid in kept]
    pairs = [(number, member) for number, wnid in enumerate(kept) for member in members[wnid]]
    node, member = np.array(pairs, np.int64).reshape(-1, 2).T
    own = np.array([stands[wnid] for wnid in classes], np.int64)
    return Marginals(tuple(classes), tuple(kept), node.copy(), member.copy(), np.array(depth, np.int64), own)


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Classes by how many of them are above each, as semantic softmax compares them: among those of a level.

    `members` are the classes of each level that has two at least, ascending. `targets` ``(classes, levels)`` is the
    place among them of the one that a class is, or is under, -1 where that level is below it; `weights` ``(levels,)``
    say how much a level counts.
    """

    members: tuple[Ints, ...]
    targets: Ints
    weights: Floats


def levels(classes: Sequence[str], ontology: Ontology) -> Levels:
    """The levels of `classes`, wnids in class order. Where none is above another there is one.

    A level counts as many times as there are classes to one at this level or below, `MOST` at most, since images of
    those above it say nothing of it. Raises `UnknownSynset`. Source: Ridnik et al., ImageNet-21K Pretraining for the
    Masses, 2021, section 3.2, and the authors' ``semantic/semantics.py``, which leaves out the deepest level; here it
    counts.
    """
    parent = parents(classes, ontology)
    above = lineage(np.full(len(classes), MISSING) if parent is None else parent)
    depth = (above != MISSING).sum(axis=1) - 1
    members = {level: np.flatnonzero(depth == level) for level in range(above.shape[1])}
    found = [level for level, some in members.items() if len(some) > 1]
    targets = np.full((len(classes), len(found)), MISSING, np.int64)
    for column, level in enumerate(found):
        place = np.full(len(classes) + 1, MISSING, np.int64)  # the last is that of MISSING
        place[members[level]] = np.arange(len(members[level]))
        targets[:, column] = place[above[:, level]]
    deeper = [len(classes) / (depth >= level).sum() for level in found]
    return Levels(tuple(members[level] for level in found), targets, np.minimum(MOST, np.array(deeper, np.float64)))
