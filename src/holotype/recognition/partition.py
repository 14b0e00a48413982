"""Which classes to train: an ontology cut into parts that are as fine as there are images for, and what their
probabilities say of other synsets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.errors import RecognitionError
from holotype.ontology import Ontology
from holotype.recognition.relabelling import relabelled
from holotype.releases.loaders import Samples

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]

PARTITION: Final = "partition.json"
"""What the file of a run is called that says which partition it was trained on."""


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Synsets that have images, each in one of `classes`, wnids in ascending order: a class is called by its highest.

    `synsets` are wnids in ascending order, `counts` ``(synsets,)`` how many images each has, and `part` ``(synsets,)``
    which class each is in.
    """

    ontology: Ontology
    classes: tuple[str, ...]
    synsets: tuple[str, ...]
    counts: Ints
    part: Ints

    @property
    def sizes(self) -> Ints:
        """How many images each class has, ``(classes,)``."""
        return np.bincount(self.part, self.counts, len(self.classes)).astype(np.int64)

    @property
    def of(self) -> dict[str, str]:
        """The class of each synset, by wnid."""
        return {wnid: self.classes[part] for wnid, part in zip(self.synsets, self.part.tolist(), strict=True)}

    def relabelled(self, samples: Samples) -> Samples:
        """Samples, not `merged`, whose labels are classes of the partition; an image with several in one is kept once.

        Raises `RecognitionError` where a label is of no class.
        """
        of = self.of
        lost = [wnid for wnid in counts_of(samples) if wnid not in of]
        if lost:
            raise RecognitionError(f"{lost[0]} is in no class of the partition, which was made of other images")
        return relabelled(samples, of)

    def shares(self, nodes: Sequence[str]) -> npt.NDArray[np.float64]:
        """The part of each class that is some node, or under it, ``(classes, nodes)`` from 0 to 1: of its images.

        It is 0 or 1 for nodes that no class reaches out of. Raises `UnknownSynset`.
        """
        ranks = np.array([self.ontology.rank(wnid) for wnid in self.synsets], np.int64)
        order = np.argsort(ranks)
        found = np.zeros((len(self.classes), len(nodes)))
        for column, node in enumerate(nodes):
            found[:, column] = self._share(order[_places(ranks[order], self.ontology.ranges(node))])
        return found

    def shares_of(self, groups: Mapping[str, str], names: Sequence[str]) -> npt.NDArray[np.float64]:
        """The part of each class that is of each group, ``(classes, names)``; `groups` gives the name of that of a
        synset, by wnid, if it is of one."""
        of = np.array([names.index(groups[wnid]) if wnid in groups else -1 for wnid in self.synsets], np.int64)
        return np.stack([self._share(np.flatnonzero(of == column)) for column in range(len(names))], axis=1)

    def _share(self, places: Ints) -> npt.NDArray[np.float64]:
        """The part of each class's images, ``(classes,)``, that are of some of its synsets."""
        return np.bincount(self.part[places], self.counts[places], len(self.classes)) / self.sizes

    def cut(self, nodes: Sequence[str]) -> list[str]:
        """Those of `nodes` that some class reaches out of: what is inferred of them rests on how many images each
        synset has."""
        shares = self.shares(nodes)
        partly = ((shares > 0) & (shares < 1)).any(axis=0)
        return [nodes[place] for place in np.flatnonzero(partly).tolist()]

    def infer(self, probabilities: Floats, nodes: Sequence[str]) -> npt.NDArray[np.float64]:
        """The probability of each of `nodes`, ``(rows, nodes)``, from those of the classes ``(rows, classes)``: the sum
        of those under it, and of a class that is only partly under it that part of its images.

        Nodes that are disjoint, and together hold everything, have probabilities that sum up to those of the classes.
        Raises `UnknownSynset`, or `RecognitionError` for a node that there are no images of or below, and for other
        probabilities than of these classes. Source: Esteva et al., Nature 2017, Methods ("inference algorithm").
        """
        shares = self.shares(nodes)
        empty = [node for node, share in zip(nodes, shares.sum(axis=0).tolist(), strict=True) if not share]
        if empty:
            raise RecognitionError(f"no class has images of {empty[0]}")
        if probabilities.ndim != 2 or probabilities.shape[1] != len(self.classes):
            raise RecognitionError(
                f"there are {len(self.classes):,} classes, and probabilities of the shape {probabilities.shape}"
            )
        return np.asarray(probabilities, np.float64) @ shares

    def value(self) -> dict[str, Any]:
        """This without its ontology, of values that JSON has: `partition_of` reads it."""
        rows = zip(self.of.items(), self.counts.tolist(), strict=True)
        return {"ontology": self.ontology.digest, "synsets": {wnid: [part, count] for (wnid, part), count in rows}}


def partition(ontology: Ontology, counts: Mapping[str, int], max_size: int = 1000) -> Partition:
    """Cut an ontology into classes of at most `max_size` images; `counts` says how many each synset has, by wnid.

    From the roots down, a synset becomes a class, with all below it, where they do not have more images; where they
    do, its own images are a class, and each of its children is looked at. So a class may be larger, where it is one
    synset's own images. A synset with several parents goes with the one that comes first in depth-first order, and one
    that is under no root, an instance, is a class of its own.

    Raises `RecognitionError` where there are no images, `UnknownSynset`. Source: Esteva et al., Nature 2017, extended
    data table 1 (its algorithm is of a tree, and says nothing of a node's own images).
    """
    if max_size < 1:
        raise RecognitionError(f"a class has at least one image, not {max_size}")
    held = {wnid: count for wnid, count in sorted(counts.items()) if count > 0}
    if not held:
        raise RecognitionError("there are no images to make classes of")
    wnids = sorted(held, key=ontology.rank)
    ranks = np.array([ontology.rank(wnid) for wnid in wnids], np.int64)
    left = np.array([held[wnid] for wnid in wnids], np.int64)
    top = np.array(wnids)
    for wnid, places in _parts(ontology, ranks, left.copy(), max_size):
        top[places] = wnid
    classes, part = np.unique(top, return_inverse=True)
    order = np.argsort(np.array(wnids))
    return Partition(ontology, tuple(classes.tolist()), tuple(held), left[order], part[order])


def partition_of(value: Mapping[str, Any], ontology: Ontology) -> Partition:
    """What `Partition.value` gave. Raises `RecognitionError` where it is none, or of another ontology."""
    try:
        digest, rows = value["ontology"], sorted(value["synsets"].items())
        classes = tuple(sorted({str(part) for _, (part, _) in rows}))
        number = {wnid: place for place, wnid in enumerate(classes)}
        part = np.array([number[one] for _, (one, _) in rows], np.int64)
        counts = np.array([int(count) for _, (_, count) in rows], np.int64)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RecognitionError(f"this is no partition: {error!r}") from error
    if digest != ontology.digest:
        raise RecognitionError("the partition is of another ontology")
    if not rows or counts.min() < 1 or not all(wnid in ontology for wnid in (*classes, *(wnid for wnid, _ in rows))):
        raise RecognitionError("this is no partition: it has synsets without images, or that are not in the ontology")
    return Partition(ontology, classes, tuple(wnid for wnid, _ in rows), counts, part)


def read_partition(folder: Path, ontology: Ontology) -> Partition:
    """The partition that a run was trained on. Raises `RecognitionError` where there is none of that ontology."""
    path = folder / PARTITION
    try:
        return partition_of(json.loads(path.read_text(encoding="utf-8")), ontology)
    except FileNotFoundError as error:
        raise RecognitionError(f"there is no partition in {folder}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise RecognitionError(f"cannot read {path}: {error}") from error


def counts_of(samples: Samples) -> dict[str, int]:
    """How many samples each class has that has any, by wnid."""
    found = Counter(samples.labels.tolist())
    return {samples.classes[label]: count for label, count in sorted(found.items())}


def _parts(ontology: Ontology, ranks: Ints, left: Ints, max_size: int) -> Iterator[tuple[str, Ints]]:
    """Each class under a root, and the places in it of synsets whose `ranks` ascend; what was taken is not `left`."""
    waiting = [one.wnid for one in reversed(ontology.roots())]
    while waiting:
        wnid = waiting.pop()
        below = _places(ranks, ontology.ranges(wnid))
        inside = below[left[below] > 0]
        if not len(inside):
            continue
        if left[inside].sum() > max_size:
            waiting += sorted((one.wnid for one in ontology.children(wnid)), key=ontology.rank, reverse=True)
            inside = inside[ranks[inside] == ontology.rank(wnid)]
        left[inside] = 0
        if len(inside):
            yield wnid, inside


def _places(ranks: Ints, ranges: Sequence[tuple[int, int]]) -> Ints:
    """The places of ascending `ranks` that are in some ranges, which ascend."""
    firsts, stops = np.searchsorted(ranks, np.array(ranges).T)
    return np.concatenate([np.arange(*pair) for pair in zip(firsts, stops, strict=True)])
