"""Images with the boxes of what they show, for detectors to learn from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.benchmark.values import Boxes
from holotype.errors import RecognitionError
from holotype.geometry.values import Bools, Floats, Ints
from holotype.ontology import Ontology
from holotype.releases.loaders import Samples
from holotype.releases.loaders.samples import within


@dataclass(frozen=True, slots=True, eq=False)
class Instances:
    """The objects of images, ``(boxes,)`` each: the number of the `label`, `corners` ``(boxes, 4)`` in inclusive
    pixels, and which are `crowd`: there, but neither to be learned nor to be taken for background."""

    label: Ints
    corners: Floats
    crowd: Bools

    def take(self, some: Ints | slice) -> Instances:
        """Some of them."""
        return Instances(self.label[some], self.corners[some], self.crowd[some])


@dataclass(frozen=True, slots=True, eq=False)
class BoxedImages:
    """The `samples`, each image once, that have a box of one of some `classes`, wnids in class order: image ``i`` has
    the `boxes` from ``start[i]`` to ``start[i + 1]``. `unboxed` are images and classes ``(pairs, 2)``, sorted: the
    image is labelled so, and nobody says where that is."""

    samples: Samples
    classes: tuple[str, ...]
    start: Ints
    boxes: Instances
    unboxed: Ints

    def __len__(self) -> int:
        return len(self.samples)

    def of(self, number: int) -> Instances:
        """The objects of an image."""
        return self.boxes.take(slice(int(self.start[number]), int(self.start[number + 1])))

    def complete(self, number: int) -> Bools:
        """The classes ``(classes,)`` whose objects in an image all have boxes, as far as labels tell."""
        known = np.ones(len(self.classes), np.bool_)
        first, stop = np.searchsorted(self.unboxed[:, 0], [number, number + 1])
        known[self.unboxed[first:stop, 1]] = False
        return known

    def digest(self) -> str:
        """What tells these images and boxes from others."""
        told = hashlib.blake2b(self.samples.digest().encode(), digest_size=16)
        told.update("\n".join(self.classes).encode())
        for column in (self.start, self.boxes.label, self.boxes.corners, self.boxes.crowd, self.unboxed):
            told.update(len(column).to_bytes(8, "big") + np.ascontiguousarray(column).tobytes())
        return told.hexdigest()


def boxed_images(samples: Samples, boxes: Boxes, ontology: Ontology, classes: Sequence[str] = ()) -> BoxedImages:
    """The images among `samples`, which are not merged, that have a box of `classes`, wnids, or of any class that has
    boxes where none are named; a box of what lies under a class is the class's (see `folded`).

    Raises `RecognitionError` where a class that is named has no box, or no image has one; `UnknownSynset`.
    """
    truth = folded(boxes, tuple(sorted(set(classes))) or _boxed(boxes), ontology)
    counts = np.bincount(truth.label[~truth.crowd], minlength=len(truth.classes))
    lost = [wnid for wnid, count in zip(truth.classes, counts.tolist(), strict=True) if not count]
    if lost or not truth.classes:
        raise RecognitionError(f"there are no boxes of {', '.join(lost[:5]) or 'anything'} to learn from")
    place = pc.index_in(samples.ids, pa.array(truth.items, pa.string())).fill_null(-1).to_numpy().astype(np.int64)
    rows = np.flatnonzero(np.isin(place, truth.image[~truth.crowd]))
    images, first = np.unique(place[rows], return_index=True)
    if not len(images):
        raise RecognitionError("none of the images has a box: they are of other splits, or called otherwise")
    order = np.argsort(truth.image, kind="stable")
    order = order[np.isin(truth.image[order], images)]
    of = np.searchsorted(images, truth.image[order])
    found = Instances(truth.label[order], truth.corners[order], truth.crowd[order])
    labelled = _labelled(samples.take(rows), truth.classes, ontology)
    labelled[:, 0] = np.searchsorted(images, place[rows])[labelled[:, 0]]
    unboxed = _without(labelled, np.column_stack([of, found.label]), len(truth.classes))
    start = np.searchsorted(of, np.arange(len(images) + 1)).astype(np.int64)
    return BoxedImages(samples.take(rows[first]), truth.classes, start, found, unboxed)


def folded(boxes: Boxes, classes: Sequence[str], ontology: Ontology) -> Boxes:
    """A truth of other classes, sorted wnids: each box is of the class that it was of, and of those above it. A box of
    what lies above a class may be one of it, and is a crowd there: neither to be found nor wrong.

    Raises `UnknownSynset` for a class that the ontology has not.
    """
    under, above = _kin(boxes.classes, classes, ontology)
    box, label = np.nonzero((under | above)[boxes.label])
    crowd = boxes.crowd[box] | ~under[boxes.label[box], label]
    rows = np.column_stack([boxes.image[box], label, boxes.corners[box]])
    _, first, same = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    only_crowds = np.ones(len(first), np.bool_)
    np.logical_and.at(only_crowds, same.ravel(), crowd)
    pair, ignored = np.nonzero((under | above)[boxes.ignored[:, 1]])
    kept = box[first]
    return replace(
        boxes,
        classes=tuple(classes),
        image=boxes.image[kept],
        label=label[first].astype(np.int64),
        corners=boxes.corners[kept],
        crowd=only_crowds,
        area=boxes.area[kept],
        ignored=np.column_stack([boxes.ignored[pair, 0], ignored]).astype(np.int64),
        numbers=(),
    )


def of_images(truth: Boxes, ids: Sequence[str]) -> Boxes:
    """A truth of some of its images alone, by their ids; others are left out."""
    kept = np.isin(np.array(truth.items, np.str_), np.array(ids, np.str_))
    number = np.cumsum(kept) - 1
    rows, pairs, places = kept[truth.image], kept[truth.ignored[:, 0]], kept[truth.unplaced]
    ignored = truth.ignored[pairs].copy()
    ignored[:, 0] = number[ignored[:, 0]]
    return replace(
        truth,
        items=tuple(name for name, one in zip(truth.items, kept.tolist(), strict=True) if one),
        image=number[truth.image[rows]],
        label=truth.label[rows],
        corners=truth.corners[rows],
        crowd=truth.crowd[rows],
        area=truth.area[rows],
        ignored=ignored,
        unplaced=number[truth.unplaced[places]],
        sizes=None if truth.sizes is None else truth.sizes[kept],
    )


def _kin(wnids: Sequence[str], classes: Sequence[str], ontology: Ontology) -> tuple[Bools, Bools]:
    """Which wnids are a class or under it, and which are above it, ``(wnids, classes)`` each."""
    ranks, of_classes = (np.array([ontology.rank(one) for one in some], np.int32) for some in (wnids, classes))
    under = [within(ranks, ontology.ranges(one)) for one in classes]
    above = [within(of_classes, ontology.ranges(one)) for one in wnids]
    shape = len(wnids), len(classes)
    below = np.array(under, np.bool_).reshape(shape[::-1]).T
    return below, np.array(above, np.bool_).reshape(shape) & ~below


def _boxed(boxes: Boxes) -> tuple[str, ...]:
    return tuple(sorted(boxes.classes[label] for label in np.unique(boxes.label[~boxes.crowd]).tolist()))


def _labelled(samples: Samples, classes: Sequence[str], ontology: Ontology) -> Ints:
    """The samples and classes ``(pairs, 2)`` that labels say, or leave open."""
    under, above = _kin(samples.classes, classes, ontology)
    return np.column_stack(np.nonzero((under | above)[samples.labels])).astype(np.int64)


def _without(pairs: Ints, others: Ints, classes: int) -> Ints:
    """The pairs of image and class ``(pairs, 2)`` that are not among others, sorted."""
    left = np.setdiff1d(pairs[:, 0] * classes + pairs[:, 1], others[:, 0] * classes + others[:, 1])
    return np.column_stack([left // classes, left % classes]).astype(np.int64)
