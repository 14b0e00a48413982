"""Annotations as tables, so that a journal can hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple
from itertools import islice
from typing import Final

import pyarrow as pa

from holotype.imports.boxes import Annotation, Box, read_voc_archive, read_voc_folder
from holotype.imports.scan import Part
from holotype.imports.shapes import Kind, Source
from holotype.imports.solution import read_solution

BOX: Final = pa.struct([("wnid", pa.string()), *((name, pa.int32()) for name in ("xmin", "ymin", "xmax", "ymax"))])
_SCHEMA: Final = pa.schema(
    [
        ("name", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("boxes", pa.list_(BOX)),
        ("remarks", pa.list_(pa.string())),
    ]
)
_PART: Final = 50_000


def read_annotations(source: Source) -> Iterator[Annotation]:
    """What a solution file, a box archive or a folder of annotations says. Raises `ArchiveError`."""
    if source.kind is Kind.SOLUTION:
        return read_solution(source.path)
    return read_voc_folder(source.path) if source.path.is_dir() else read_voc_archive(source.path)


def annotation_parts(found: Iterator[Annotation]) -> Iterator[Part]:
    """Annotations as the parts of a scan, which cannot go on in the middle."""
    while chunk := list(islice(found, _PART)):
        boxes = [[dict(zip(BOX.names, astuple(box), strict=True)) for box in one.boxes] for one in chunk]
        columns = *([getattr(one, name) for one in chunk] for name in ("name", "width", "height")), boxes
        columns = *columns, [one.remarks for one in chunk]
        yield Part(pa.table([pa.array(c, f.type) for c, f in zip(columns, _SCHEMA, strict=True)], _SCHEMA), 0)
    yield Part(_SCHEMA.empty_table(), None)


def annotations_of(tables: Iterable[pa.Table]) -> Iterator[Annotation]:
    """The annotations in the tables of a scan."""
    for table in tables:
        for row in table.to_pylist():
            boxes = tuple(Box(**box) for box in row["boxes"])
            yield Annotation(row["name"], row["width"], row["height"], boxes, tuple(row["remarks"]))
