"""Samples of other classes than those that they are labelled with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from holotype.errors import RecognitionError
from holotype.ontology import Ontology
from holotype.releases.loaders import Samples


def relabelled(samples: Samples, of: Mapping[str, str]) -> Samples:
    """Samples, not `merged`, of the classes that `of` gives for their own, by wnid; those of others are left out.

    The classes are all that `of` gives, wnids in ascending order. An image with several labels that become one is kept
    once.
    """
    classes = tuple(sorted(set(of.values())))
    place = {wnid: number for number, wnid in enumerate(classes)}
    new = np.array([place[of[wnid]] if wnid in of else -1 for wnid in samples.classes], np.int32)
    kept = samples.take(np.flatnonzero(new[samples.labels] >= 0))
    found = replace(kept, labels=new[kept.labels], classes=classes)
    return found.take(_first_of_each(found))


def under(samples: Samples, nodes: Sequence[str], ontology: Ontology) -> Samples:
    """Samples, not `merged`, whose classes are some `nodes`: each is labelled by the one that it is, or is under, and
    those of none are left out.

    Raises `UnknownSynset`, or `RecognitionError` where a class is under two of them.
    """
    used = [samples.classes[label] for label in np.unique(samples.labels).tolist()]
    of: dict[str, str] = {}
    for node in sorted(set(nodes)):
        of[node] = node
        for wnid in used:
            if not ontology.is_under(wnid, node):
                continue
            if of.get(wnid, node) != node or (wnid in nodes and wnid != node):
                raise RecognitionError(f"{wnid} is under several of the classes that are to be told apart")
            of[wnid] = node
    return relabelled(samples, of)


def of_classes_in(samples: Samples, shown: Samples) -> Samples:
    """Samples, not `merged`, whose classes are those alone that some image of `shown` is of; those of others are left
    out."""
    used = [shown.classes[label] for label in np.unique(shown.labels).tolist()]
    return relabelled(samples, {wnid: wnid for wnid in used})


def those_in(samples: Samples, kept: Samples) -> Samples:
    """Those of samples, not `merged`, whose images are among those that are kept, with their own labels."""
    return samples.take(np.flatnonzero(np.isin(samples.ids.to_numpy(False), kept.ids.to_numpy(False))))


def once(samples: Samples) -> Samples:
    """Each image once, where it was first, whatever labels it has."""
    images = np.asarray(samples.ids.dictionary_encode().indices, np.int64)
    first = np.unique(images, return_index=True)[1]
    return samples if len(first) == len(samples) else samples.take(np.sort(first))


def _first_of_each(samples: Samples) -> npt.NDArray[np.int64]:
    """The first row of each pair of an image and a label, in their order."""
    image = np.asarray(samples.ids.dictionary_encode().indices, np.int64)
    pairs = image * len(samples.classes) + samples.labels
    return np.sort(np.unique(pairs, return_index=True)[1]).astype(np.int64)
