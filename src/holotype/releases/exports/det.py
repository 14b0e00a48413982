"""ILSVRC DET's lists: ``ImageSets/DET/SPLIT_NUMBER.txt``, a line an image with what is known of the class."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import starmap
from pathlib import Path
from typing import Final

from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.listing import write_classes
from holotype.releases.quantities import plural
from holotype.releases.split import SPLITS
from holotype.releases.verified import ABSENT, COVERED

FULL: Final = 1
PARTIAL: Final = 0
NEGATIVE: Final = -1

Lists = Mapping[tuple[str, int], Mapping[str, int]]
"""Flags by image, of each split and class."""


def write_det(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """A file a class and split, ``ImageSets/DET/train_1.txt`` and so on: numbered from 1, in the order of
    ``classes.csv``.

    A line is an image and 1, 0 or -1. 1 is a full positive: it is labelled with the class, and people found that every
    instance is boxed. 0 is a partial one: it is labelled, and nobody found that all instances are boxed. -1 is a
    verified negative: people said that the class, or something above it, is not there. Of other images nothing is
    known, and they are in no list of the class.
    """
    lists, lost = det_lists(chosen)
    target = folder / "ImageSets/DET"
    target.mkdir(parents=True)
    for (split, number), flags in lists.items():
        text = "".join(starmap("{} {}\n".format, flags.items()))
        (target / f"{split}_{number + 1}.txt").write_text(text, encoding="ascii", newline="\n")
    write_classes(chosen, folder)
    advance(len(chosen.images), len(chosen.images))
    return _remarks(lists, lost)


def det_lists(chosen: Chosen) -> tuple[Lists, int]:
    """The lists, images in the order of the manifest and negatives last; and how many verified negatives are of no
    class of the export."""
    ids = list(chosen.images.ids(chosen.images_of()))
    verified = chosen.release.verified.select(["id", "wnid", "said"]).to_pylist()
    covered = {(one["id"], one["wnid"]) for one in verified if one["said"] == COVERED}
    split_of = [""] * len(ids)
    found: dict[tuple[str, int], dict[str, int]] = {
        (split, one.number): {} for split in chosen.splits for one in chosen.classes
    }
    labels = chosen.labels
    for image, number, split in zip(
        chosen.images.of_label.tolist(), labels.number.tolist(), labels.split.tolist(), strict=True
    ):
        split_of[image] = SPLITS[split]
        flag = FULL if (ids[image], chosen.classes[number].wnid) in covered else PARTIAL
        found[SPLITS[split], number][ids[image]] = flag
    place, lost = dict(zip(ids, split_of, strict=True)), 0
    for one in verified:
        if one["said"] == ABSENT and one["id"] in place:
            if one["wnid"] in chosen.numbers:
                found[place[one["id"]], chosen.numbers[one["wnid"]]].setdefault(one["id"], NEGATIVE)
            else:
                lost += 1
    return found, lost


def _remarks(lists: Lists, lost: int) -> list[str]:
    flags = [flag for one in lists.values() for flag in one.values()]
    full, partial, negative = (flags.count(flag) for flag in (FULL, PARTIAL, NEGATIVE))
    told = [
        f"{plural(full, 'label is', 'labels are')} 1, every instance boxed; {partial:,} 0, not known to be all boxed; "
        f"{negative:,} -1, verified absent"
    ]
    if not negative:
        told.append("the release has no verified negatives: ask questions about leaves before it is made")
    if lost:
        told.append(f"{plural(lost, 'verified negative is', 'verified negatives are')} of synsets that no image shows")
    return told
