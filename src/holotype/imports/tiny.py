"""Tiny ImageNet's own lists: the boxes of training images, labels and boxes of validation images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.boxes import Annotation, box_of
from holotype.imports.trees import entries
from holotype.ontology import is_wnid
from holotype.textlists import read_lines


def read_tiny(classes: Path) -> Iterator[Annotation]:
    """What stands beside ``wnids.txt``: ``train/WNID/WNID_boxes.txt``, and ``val/val_annotations.txt``.

    Raises `ArchiveError` naming the line that is no image with its four corners.
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
    for number, line in enumerate(read_lines(path, ArchiveError), 1):
        if not (fields := line.split()):
            continue
        image, *rest = fields
        label, corners = (wnid, rest) if wnid else (rest[0] if rest else "", rest[1:])
        if len(corners) != 4 or not is_wnid(label):
            raise ArchiveError(f"{printable(path)}, line {number}: expected an image and its box, not {line[:40]!r}")
        remarks: list[str] = []
        box = box_of(label, corners, remarks)
        name = f"{above}{image}" if above else image.rpartition(".")[0]
        yield Annotation(name, 0, 0, (box,) if box is not None else (), tuple(remarks), (label,))
