"""Tiny ImageNet's own lists: the boxes of training images, labels and boxes of validation images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from holotype.errors import ArchiveError
from holotype.imports.boxes import UNREAD, Annotation, box_of
from holotype.imports.listing import entries
from holotype.ontology import is_wnid
from holotype.textlists import read_lines

NO_ROW: Final = "lines that are no image with its class and box, which were not taken"


def read_tiny(classes: Path) -> Iterator[Annotation]:
    """What stands beside ``wnids.txt``: ``train/WNID/WNID_boxes.txt``, and ``val/val_annotations.txt``.

    A line without four corners, or without a class, is a remark. Raises `ArchiveError` where a list cannot be read.
    """
    root = classes.parent
    train = [path for path, entry in entries(root, "train") if entry.is_dir()] if (root / "train").is_dir() else []
    for folder in train:
        wnid = folder.rpartition("/")[2]
        if (path := root / folder / f"{wnid}_boxes.txt").is_file() and is_wnid(wnid):
            yield from _rows(path, wnid, "")
    if (path := root / "val/val_annotations.txt").is_file():
        yield from _rows(path, "", "val/images/")


def _rows(path: Path, wnid: str, above: str) -> Iterator[Annotation]:
    for line in read_lines(path, ArchiveError):
        if not (fields := line.split()):
            continue
        image, *rest = fields
        label, corners = (wnid, rest) if wnid else (rest[0] if rest else "", rest[1:])
        name = f"{above}{image}" if above else image.rpartition(".")[0]
        yield _annotation(name, label, corners)


def _annotation(name: str, label: str, corners: Sequence[str]) -> Annotation:
    if not is_wnid(label):
        return Annotation(name, 0, 0, (), (NO_ROW,))
    remarks: list[str] = [] if len(corners) == 4 else [UNREAD]
    box = None if remarks else box_of(label, corners, remarks)
    return Annotation(name, 0, 0, (box,) if box is not None else (), tuple(remarks), (label,))
