"""Truths of several labels an image, such as ReaL's: who looked at the validation images again, and what they saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.boxes import Annotation
from holotype.imports.layouts import official
from holotype.imports.tables import read_json
from holotype.ontology import is_wnid

IMAGES: Final = 50_000
"""The validation images of ILSVRC2012, which a list without names counts."""
NONE: Final = "images that show none of the classes by this truth"
NO_LABEL: Final = "labels that are neither a wnid nor the number of a class, which were not taken"
_LARGEST: Final = 256 << 20
_LISTS: Final = ("correct", "labels", "multi_labels", "wnids")


def read_truth(path: Path, classes: Sequence[str]) -> Iterator[Annotation]:
    """The labels of each image in a JSON file; `classes` are the wnids that numbers count.

    Either a list of 50,000 lists, for the validation images in order, as ``real.json``; or an object with a list for
    each image's name, or an object of lists of which ``correct`` is read.

    Raises `ArchiveError` for anything else.
    """
    value = read_json(path, _LARGEST)
    for name, labels in _entries(value, path):
        remarks = [] if labels else [NONE]
        found = [_wnid(label, classes) for label in labels]
        remarks += [NO_LABEL for wnid in found if not wnid]
        yield Annotation(name, 0, 0, (), tuple(remarks), tuple(dict.fromkeys(filter(None, found))))


def _entries(value: Any, path: Path) -> Iterator[tuple[str, Sequence[Any]]]:
    if isinstance(value, list):
        if len(value) != IMAGES or not all(isinstance(one, list) for one in value):
            raise ArchiveError(f"{printable(path)} is not a list of labels for each of {IMAGES:,} validation images")
        yield from ((f"ILSVRC2012_val_{number:08d}", one) for number, one in enumerate(value, 1))
        return
    for name, said in value.items() if isinstance(value, dict) else ():
        labels = next((said[key] for key in _LISTS if key in said), None) if isinstance(said, Mapping) else said
        if not isinstance(labels, list):
            raise ArchiveError(f"{printable(path)} has no list of labels for {str(name)[:40]!r}")
        named = official(f"{name}.") or official(str(name))
        yield named[0] if named is not None else str(name), labels


def _wnid(label: Any, classes: Sequence[str]) -> str:
    if isinstance(label, str) and is_wnid(label):
        return label
    number = int(label) if str(label).isdecimal() and len(str(label)) < 7 else -1
    return classes[number] if 0 <= number < len(classes) else ""
