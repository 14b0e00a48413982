"""Open Images' lists: boxes, and labels that people verified, of classes that a table maps to wnids."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.boxes import UNREAD, Annotation, Box, flagged, unless_empty
from holotype.imports.coco import NO_WNID
from holotype.textlists import read_lines

MILLION: Final = 1_000_000
"""What corners are fractions of, in an `Annotation` whose boxes are `fractions`."""
UNLABELLED: Final = "labels of classes that no wnid is given for, which were not taken"
DENIED: Final = "labels that people found to be wrong, which were not taken"
HEADER: Final = ("ImageID", "Source", "LabelName", "Confidence")
_CORNERS: Final = ("XMin", "YMin", "XMax", "YMax")
_FLAGS: Final = {"truncated": "IsTruncated", "occluded": "IsOccluded", "group_of": "IsGroupOf"}
"""Columns of flags: 1, 0, or -1 where nobody said."""
_FOLDERS: Final = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}


def read_openimages(path: Path, table: Mapping[str, str]) -> Iterator[Annotation]:
    """The boxes, or the labels, of each image in a list; `table` has wnids by ``/m/...`` or by the name of a class.

    Corners are fractions of an image, in millionths. Names are read from ``class-descriptions*.csv`` in the same
    folder. Rows of an image stand together. Raises `ArchiveError` where the list is another.
    """
    wnids = {code: wnid for code, name in _names(path.parent).items() if (wnid := table.get(name))} | dict(table)
    rows = csv.DictReader(read_lines(path, ArchiveError))
    try:
        if tuple(rows.fieldnames or ())[:4] != HEADER:
            raise ArchiveError(f"{printable(path)}, row 1: expected {','.join(HEADER)} ...")
        boxed = "XMin" in (rows.fieldnames or ())
        split = next((name for name in _FOLDERS if name in path.name), "")
        for image, said in groupby(rows, key=lambda row: row["ImageID"] or ""):
            yield _annotation(image, list(said), split, wnids, boxed)
    except csv.Error as error:
        raise ArchiveError(f"{printable(path)}, row {rows.line_num}: {error}") from error


def _names(folder: Path) -> dict[str, str]:
    """The classes' names by their code ``/m/...``, of which there may be none."""
    files = sorted(folder.glob("*class-descriptions*.csv"))
    rows = (row for file in files for row in csv.reader(read_lines(file, ArchiveError)))
    return {row[0]: row[1] for row in rows if len(row) == 2 and row[0].startswith("/")}


def _annotation(
    image: str, said: list[dict[str, str]], split: str, wnids: Mapping[str, str], boxed: bool
) -> Annotation:
    remarks: list[str] = []
    boxes: list[Box] = []
    labels: list[str] = []
    for row in said:
        wnid = wnids.get(row.get("LabelName") or "", "")
        if not wnid:
            remarks.append(NO_WNID if boxed else UNLABELLED)
        elif not boxed and row["Confidence"] not in ("1", "1.0"):
            remarks.append(DENIED)
        else:
            labels.append(wnid)
            boxes += _box(row, wnid, remarks) if boxed else ()
    names = [*(f"{folder}/{image}.jpg" for folder in _FOLDERS.get(split, ())), f"{image}.jpg"]
    several = tuple(boxes), tuple(remarks), tuple(dict.fromkeys(labels))
    return Annotation(names[0], 0, 0, *several, aliases=tuple(names[1:]), fractions=boxed)


def _box(row: Mapping[str, str], wnid: str, remarks: list[str]) -> list[Box]:
    try:
        corners = [float(row[name]) for name in _CORNERS]
    except (KeyError, TypeError, ValueError):
        corners = [-1.0]
    if not all(0 <= corner <= 1 for corner in corners):
        remarks.append(UNREAD)
        return []
    box = unless_empty(Box(wnid, *(round(corner * MILLION) for corner in corners)), remarks)
    return [] if box is None else [flagged(box, lambda name: row.get(_FLAGS.get(name, "")))]
