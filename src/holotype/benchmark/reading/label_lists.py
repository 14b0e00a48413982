"""Truths of several labels an image in JSON: ReaL's list of lists, and objects of lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final

from holotype.benchmark.orders import order as class_order
from holotype.benchmark.reading.assembling import Pair, labels_of
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.json_text import strict_json
from holotype.benchmark.values import Labels
from holotype.imports.truths import IMAGES

_HEAD: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*\[")


def is_list_of_lists(head: bytes) -> bool:
    """Whether a file that begins so holds a list of lists, as ``real.json``."""
    return _HEAD.match(head) is not None


def read_label_lists(file: IO[bytes], classes: Sequence[str], order: str, faults: Faults) -> Labels:
    """The labels of each image: a list for each of ILSVRC2012's 50,000 validation images in order, or for each id in an
    object. Numbers are places among `classes`, in `order`, or else among ILSVRC2012's classes by wnid, from 0.

    An image with an empty list has no label. Raises `PredictionError` naming the entry at fault.
    """
    value = strict_json(file.read().removeprefix(b"\xef\xbb\xbf"), faults)
    faults.unit = "entry"
    names = tuple(classes) or class_order(order or "sorted").wnids
    items: list[str] = []
    pairs: list[Pair] = []
    for place, (image, labels) in enumerate(_entries(value, faults), 1):
        items.append(image)
        for label in labels if isinstance(labels, list) else [labels]:
            name = _name(label, names)
            if name:
                pairs.append((image, name))
            else:
                faults.add(place, f"{said(label)} is no class")
    faults.check()
    return labels_of(items, pairs, classes, faults)


def _entries(value: Any, faults: Faults) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
        return
    if not isinstance(value, list) or len(value) != IMAGES:
        faults.stop(f"is not a list of labels for each of {IMAGES:,} validation images")
    yield from ((f"ILSVRC2012_val_{place:08d}", labels) for place, labels in enumerate(value, 1))


def _name(label: Any, names: Sequence[str]) -> str:
    if isinstance(label, str):
        return label.strip()
    return names[label] if type(label) is int and 0 <= label < len(names) else ""
