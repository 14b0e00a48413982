"""Annotations as tables, so that a journal can hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, replace
from itertools import islice
from typing import Final

import pyarrow as pa

from holotype.imports.boxes import FLAGS, Annotation, Box, read_voc_archive, read_voc_folder
from holotype.imports.coco import read_coco
from holotype.imports.masks import Mask
from holotype.imports.openimages import read_openimages
from holotype.imports.scan import Part
from holotype.imports.shapes import Kind, Source
from holotype.imports.solution import read_solution
from holotype.imports.tiny import read_tiny
from holotype.imports.truths import read_truth
from holotype.imports.voc_maps import read_voc_maps
from holotype.provenance import in_one_line

BOX: Final = pa.struct(
    [
        ("wnid", pa.string()),
        *((name, pa.int32()) for name in ("xmin", "ymin", "xmax", "ymax")),
        *((name, pa.bool_()) for name in FLAGS),
    ]
)
"""A box in a journal; those of earlier versions say nothing of flags."""
MASK: Final = pa.struct(
    [
        ("label", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("counts", pa.string()),
        *((name, pa.int32()) for name in ("area", "xmin", "ymin", "xmax", "ymax")),
        ("crowd", pa.bool_()),
    ]
)
_SCHEMA: Final = pa.schema(
    [
        ("name", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("boxes", pa.list_(BOX)),
        ("remarks", pa.list_(pa.string())),
        ("labels", pa.list_(pa.string())),
        ("url", pa.string()),
        ("aliases", pa.list_(pa.string())),
        ("fractions", pa.bool_()),
        ("masks", pa.list_(MASK)),
    ]
)
_BY_TABLE: Final = {Kind.COCO: read_coco, Kind.OPENIMAGES: read_openimages, Kind.MASKS: read_voc_maps}
"""What reads lists whose classes a table maps to wnids."""
NO_NAME: Final = "names of images that are no text, which nothing is called"
_PART: Final = 50_000


def read_annotations(source: Source) -> Iterator[Annotation]:
    """What a list, a box archive or a folder of annotations says. Raises `ArchiveError`."""
    if source.kind is Kind.SOLUTION:
        return read_solution(source.path)
    if source.kind is Kind.TINY:
        return read_tiny(source.path)
    if source.kind is Kind.TRUTH:
        return read_truth(source.path, source.classes)
    if (read := _BY_TABLE.get(source.kind)) is not None:
        return read(source.path, dict(source.layout.classes if source.layout is not None else ()))
    return read_voc_folder(source.path) if source.path.is_dir() else read_voc_archive(source.path)


def annotation_parts(found: Iterator[Annotation]) -> Iterator[Part]:
    """Annotations as the parts of a scan, which cannot go on in the middle."""
    while chunk := list(map(_storable, islice(found, _PART))):
        made = {
            "boxes": [[dict(zip(BOX.names, astuple(box), strict=True)) for box in one.boxes] for one in chunk],
            "masks": [[dict(zip(MASK.names, astuple(mask), strict=True)) for mask in one.masks] for one in chunk],
        }
        columns = [made.get(field.name) or [getattr(one, field.name) for one in chunk] for field in _SCHEMA]
        yield Part(pa.table([pa.array(c, f.type) for c, f in zip(columns, _SCHEMA, strict=True)], _SCHEMA), 0)
    yield Part(_SCHEMA.empty_table(), None)


def _storable(found: Annotation) -> Annotation:
    """The annotation under names that can be stored: JSON may hold halves of characters, which no image is called."""
    try:
        "".join((found.name, *found.aliases)).encode()
    except UnicodeEncodeError:
        return replace(found, name=in_one_line(found.name), aliases=(), remarks=(*found.remarks, NO_NAME))
    return found


def annotations_of(tables: Iterable[pa.Table]) -> Iterator[Annotation]:
    """The annotations in the tables of a scan."""
    for table in tables:
        for row in table.to_pylist():
            boxes = tuple(Box(**box) for box in row["boxes"])
            masks = tuple(Mask(**mask) for mask in row.get("masks") or ())  # scans of before have none
            several = {name: tuple(row[name]) for name in ("remarks", "labels", "aliases")}
            yield Annotation(**{**row, **several, "boxes": boxes, "masks": masks})
