"""Bounding boxes as ImageNet hands them out: one PASCAL VOC XML file for each image."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.ontology import is_wnid
from holotype.store.opening import opened_file
from holotype.store.tar.members import read_members

LARGEST_XML: Final = 1 << 20
_PIXEL = re.compile(r"\s*(-?[0-9]{1,7})(?:\.0*)?\s*", re.ASCII)
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True)
class Box:
    """A box around an instance of a synset: its first and its last column and row, in pixels counted from 0."""

    wnid: str
    xmin: int
    ymin: int
    xmax: int
    ymax: int


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a file says of an image: its name without extension, its size in pixels (0 where unknown), its boxes."""

    name: str
    width: int
    height: int
    boxes: tuple[Box, ...]

    @property
    def wnids(self) -> tuple[str, ...]:
        """The synsets of the boxes, each once."""
        return tuple(dict.fromkeys(box.wnid for box in self.boxes))


def parse_voc(data: bytes, where: str) -> Annotation:
    """The annotation in one XML file; `where` is the file's path, and the image is the one named like it.

    The element ``filename`` is not asked: real files hold ``%s`` there. Coordinates are whole numbers, ``12.0`` too.

    Raises `ArchiveError` for anything else: no XML, a DTD, another root, a class that is no wnid, a missing corner.

    >>> parse_voc(b"<annotation><size><width>500</width><height>375</height></size></annotation>", "val/x_1.xml")
    Annotation(name='x_1', width=500, height=375, boxes=())
    """
    if len(data) > LARGEST_XML:
        raise ArchiveError(f"{where} has {len(data):,} bytes, more than the {LARGEST_XML:,} allowed")
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, ValueError, LookupError) as error:  # ValueError: what defusedxml forbids
        raise ArchiveError(f"{where} is not XML that is read here: {str(error).splitlines()[0][:100]}") from error
    if root.tag != "annotation":
        raise ArchiveError(f"{where} is not an annotation: its root is {root.tag[:40]!r}")
    name = PurePosixPath(where).stem
    boxes = tuple(_box(found, name, f"{where}, object {n}") for n, found in enumerate(root.findall("object"), 1))
    width, height = (max(0, pixel(root.findtext(f"size/{side}") or "0", where)) for side in ("width", "height"))
    return Annotation(name, width, height, boxes)


def _box(found: Element, image: str, where: str) -> Box:
    wnid = (found.findtext("name") or "").strip()
    if not is_wnid(wnid):
        # Many of the dogs' files name the breed; like TensorFlow's scripts, believe the name of the training image.
        wnid = image.partition("_")[0]
    if not is_wnid(wnid):
        raise ArchiveError(f"{where}: {(found.findtext('name') or '')[:40]!r} is not a wnid")
    return Box(wnid, *(pixel(found.findtext(f"bndbox/{corner}") or "", where) for corner in _CORNERS))


def pixel(text: str, where: str) -> int:
    """A coordinate as a whole number; raises `ArchiveError` for anything else.

    >>> pixel(" 12.0 ", "")
    12
    """
    if found := _PIXEL.fullmatch(text):
        return int(found[1])
    raise ArchiveError(f"{where}: {text[:40]!r} is not a whole number of pixels")


def read_voc_archive(path: Path) -> Iterator[Annotation]:
    """The annotations in an official box archive (``.tar.gz``, ``.tgz``, ``.tar``; also tars inside), in order.

    Raises `ArchiveError` as `parse_voc` and `read_members` do, and where there are none.
    """
    members = read_members(path, (".xml",), LARGEST_XML)
    yield from _some((parse_voc(data, f"{printable(path)}/{name}") for name, data in members), path)


def _some(found: Iterator[Annotation], path: Path) -> Iterator[Annotation]:
    if (first := next(found, None)) is None:
        raise ArchiveError(f"{printable(path)} holds no annotations (.xml)")
    yield first
    yield from found


def read_voc_folder(folder: Path) -> Iterator[Annotation]:
    """The annotations below a folder such as Kaggle's ``Annotations/CLS-LOC``, by path; links are not followed.

    Raises `ArchiveError` as `parse_voc` does, where a file cannot be read, and where there are none.
    """
    yield from _some(_voc_files(folder), folder)


def _voc_files(folder: Path) -> Iterator[Annotation]:
    try:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if not entry.name.isprintable():
                raise ArchiveError(f"{printable(folder)}: refused for the name {entry.name!r}")
            if entry.is_dir(follow_symlinks=False):
                yield from _voc_files(Path(entry.path))
            elif entry.name.endswith(".xml") and entry.is_file(follow_symlinks=False):
                with opened_file(Path(entry.path)) as file:
                    data = file.read(LARGEST_XML + 1)
                yield parse_voc(data, printable(entry.path))
    except OSError as error:
        raise ArchiveError(f"cannot read {printable(error.filename or folder)}: {error.strerror}") from error


def check_box(box: Box, width: int, height: int) -> str:
    """The lint code of what is wrong with a box in an image of this size (0 where unknown), "" if nothing is.

    ``box_empty``: it ends before it begins. ``box_outside``: it leaves the image. A last column equal to the width
    is let pass: whoever counts pixels from 1 writes it so.

    >>> check_box(Box("n02084071", 0, 0, 500, 374), 500, 375), check_box(Box("n02084071", 0, 0, 501, 374), 500, 375)
    ('', 'box_outside')
    """
    if box.xmax < box.xmin or box.ymax < box.ymin:
        return "box_empty"
    outside = min(box.xmin, box.ymin) < 0 or 0 < width < box.xmax or 0 < height < box.ymax
    return "box_outside" if outside else ""
