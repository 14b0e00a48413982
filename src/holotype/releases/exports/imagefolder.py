"""A folder for each class: what torchvision's `ImageFolder` and most others read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.listing import second_labels, write_classes
from holotype.releases.exports.names import safe_names
from holotype.releases.quantities import plural


def by_wnid(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``SPLIT/WNID/ID.EXTENSION``; folders sorted by name are classes in order of their number."""
    return _write(chosen, folder, advance, {one.wnid: one.wnid for one in chosen.classes})


def by_lemma(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``SPLIT/LEMMA/ID.EXTENSION``; where two classes are called alike, the later by wnid has a number behind it."""
    names = safe_names(one.name for one in chosen.classes)
    return _write(chosen, folder, advance, dict(zip((one.wnid for one in chosen.classes), names, strict=True)))


def _write(chosen: Chosen, folder: Path, advance: Advance, names: Mapping[str, str]) -> list[str]:
    """An image lies in the folder of each of its labels, once on the disk where it can do that. Every split has all
    folders, empty ones too: readers number classes by the folders that they find."""
    write_classes(chosen, folder)
    bare = {split: set(names) for split in chosen.splits}
    for split in chosen.splits:
        for name in names.values():
            (folder / split / name).mkdir(parents=True)
    for split, samples in chosen.by_split(advance):
        for sample in samples:
            file = f"{sample.id}.{sample.extension}"
            first, *others = (folder / split / names[wnid] / file for wnid in sample.wnids)
            first.write_bytes(sample.data)
            for other in others:
                _link(first, other, sample.data)
            bare[split].difference_update(sample.wnids)
    return [*second_labels(chosen, "it lies in the folder of each"), *_bare(bare)]


def _link(first: Path, other: Path, data: bytes) -> None:
    try:
        os.link(first, other)
    except OSError:  # not every file system has links
        other.write_bytes(data)


def _bare(bare: Mapping[str, set[str]]) -> list[str]:
    return [
        f"{plural(len(names), 'class has', 'classes have')} no image in {split}: "
        "their folders are empty, so that the others keep their "
        "numbers (torchvision: allow_empty=True)"
        for split, names in bare.items()
        if names
    ]
