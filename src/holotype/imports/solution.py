"""Kaggle's ``LOC_train_solution.csv`` and ``LOC_val_solution.csv``: the labels and boxes of all images in one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.boxes import Annotation, Box, box_of
from holotype.ontology import is_wnid
from holotype.textlists import read_lines, rows_of

HEADER: Final = ["ImageId", "PredictionString"]


def read_solution(path: Path) -> Iterator[Annotation]:
    """One annotation for each row ``ImageId,PredictionString``, of unknown size; the label is what its boxes show.

    A prediction string repeats ``wnid xmin ymin xmax ymax``. Nothing is taken away: in the real validation file four
    images have a box twice. Fractions are rounded, and boxes whose coordinates are no numbers left out, with a remark.

    Raises `ArchiveError` with the line number: another header, an image twice, no box, a box that is not such a five.
    """
    rows = rows_of(read_lines(path, ArchiveError), printable(path), ArchiveError)
    seen: set[str] = set()
    number, header = next(rows, (1, []))
    if header != HEADER:
        raise ArchiveError(
            f"{printable(path)}, line {number}: expected {','.join(HEADER)}, not {','.join(header)[:40]!r}"
        )
    for number, row in rows:
        found = _annotation(row, where := f"{printable(path)}, line {number}")
        if found.name in seen:
            raise ArchiveError(f"{where}: {found.name!r} has a row already")
        seen.add(found.name)
        yield found


def _annotation(row: list[str], where: str) -> Annotation:
    if len(row) != len(HEADER) or not row[0].isprintable() or not row[0]:
        raise ArchiveError(f"{where}: expected an image and its boxes, not {','.join(row)[:40]!r}")
    fields = row[1].split()
    if not fields or len(fields) % 5:
        raise ArchiveError(f"{where}: {len(fields)} fields are no boxes, each is wnid xmin ymin xmax ymax")
    remarks: list[str] = []
    found = [_box(fields[start : start + 5], where, remarks) for start in range(0, len(fields), 5)]
    boxes = tuple(box for box in found if box is not None)
    told = set(fields[::5])  # boxes that were not taken tell the class all the same
    labels = tuple(told) if len(told) == 1 and not boxes else ()
    return Annotation(row[0], 0, 0, boxes, tuple(remarks), labels)


def _box(fields: list[str], where: str, remarks: list[str]) -> Box | None:
    if not is_wnid(fields[0]):
        raise ArchiveError(f"{where}: {fields[0][:40]!r} is not a wnid")
    return box_of(fields[0], fields[1:], remarks)
