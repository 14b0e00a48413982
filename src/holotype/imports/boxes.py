"""Bounding boxes as ImageNet hands them out: one PASCAL VOC XML file for each image."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from holotype.engine import map_batches
from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.listing import entries
from holotype.imports.masks import Mask
from holotype.ontology import is_wnid
from holotype.store.objects import ObjectPath
from holotype.store.opening import opened_file
from holotype.store.tar.members import read_members

LARGEST_XML: Final = 1 << 20
ROUNDED: Final = "boxes with fractions of pixels, which were rounded"
UNREAD: Final = "boxes with coordinates that are no numbers, which were not taken"
NO_WNID: Final = "boxes of a class that is no wnid, which were not taken"
EMPTY: Final = "boxes that end before they begin, which were not taken"
BAD_URL: Final = "URLs that are no plain address on the web, which were not taken"
NO_ANNOTATION: Final = "files .xml that are no annotations, which were not taken"
UNSIZED: Final = "sizes that are no numbers, which were not taken"
_AT_ONCE: Final = 32
_PIXEL = re.compile(r"\s*(-?[0-9]{1,7})(?:\.([0-9]{0,40}))?\s*", re.ASCII)
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
FLAGS: Final = ("truncated", "occluded", "group_of", "difficult")
"""What may be said of a box beside where it is."""
Flags = tuple[bool | None, bool | None, bool | None, bool | None]
"""What is said by each of the `FLAGS`; None where nobody says."""
_YES, _NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")
_SAID: Final[Mapping[str, bool]] = dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)


@dataclass(frozen=True, slots=True)
class Box:
    """A box around an instance of a synset: its first and its last column and row, in pixels counted from 0.

    Flags say of the instance that it is `truncated` by the picture's edge, `occluded`, a group that is no single
    instance (`group_of`), or `difficult` to recognise; None where nobody said.
    """

    wnid: str
    xmin: int
    ymin: int
    xmax: int
    ymax: int
    _: KW_ONLY
    truncated: bool | None = None
    occluded: bool | None = None
    group_of: bool | None = None
    difficult: bool | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a file says of an image: its name without extension, its size in pixels (0 where unknown), its boxes.

    `labels` are the wnids that it says of the image beside its boxes; `url` and `licence` are "" where it tells none.
    `aliases` are other names that the image may have. Boxes that are `fractions` are in millionths of its sides.
    `remarks` are the reasons why something was rounded or not taken, each as often as it occurred. `masks` are in
    pixels of the picture of that size.
    """

    name: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    remarks: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    url: str = ""
    aliases: tuple[str, ...] = ()
    fractions: bool = False
    licence: str = ""
    masks: tuple[Mask, ...] = ()

    @property
    def wnids(self) -> tuple[str, ...]:
        """The synsets of the boxes, each once."""
        return tuple(dict.fromkeys(box.wnid for box in self.boxes))


def parse_voc(data: bytes, where: str) -> Annotation:
    """The annotation in one XML file; `where` is the file's path, and the image is the one named like it.

    The element ``filename`` is not asked: real files hold ``%s`` there. Fractions of pixels are rounded; a box whose
    coordinates cannot be read, or whose class is no wnid, is left out. Both are `remarks`.

    Raises `ArchiveError` for what is no annotation at all: no XML, a DTD, another root.

    >>> parse_voc(b"<annotation><size><width>500</width><height>375</height></size></annotation>", "val/x_1.xml").width
    500
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
    remarks: list[str] = []
    found = [_box(one, name, remarks) for one in root.findall("object")]
    width, height = (_side(root.findtext(f"size/{side}") or "0", remarks) for side in ("width", "height"))
    return Annotation(name, width, height, tuple(box for box in found if box is not None), tuple(remarks))


def _side(text: str, remarks: list[str]) -> int:
    try:
        return max(0, pixel(text, []))
    except ValueError:
        remarks.append(UNSIZED)
        return 0


def _box(found: Element, image: str, remarks: list[str]) -> Box | None:
    # Many of the dogs' files name the breed; like TensorFlow's scripts, believe the name of the training image.
    told = (found.findtext("name") or "").strip(), image.partition("_")[0]
    box = box_of(next(filter(is_wnid, told), ""), [found.findtext(f"bndbox/{c}") or "" for c in _CORNERS], remarks)
    return box and flagged(box, found.findtext)


def flagged(box: Box, said: Callable[[str], Any]) -> Box:
    """The box with what is `said` of each of the `FLAGS`."""
    truncated, occluded, group_of, difficult = flags_of(said)
    return replace(box, truncated=truncated, occluded=occluded, group_of=group_of, difficult=difficult)


def flags_of(said: Callable[[str], Any]) -> Flags:
    """What is `said` of each of the `FLAGS`."""
    truncated, occluded, group_of, difficult = (flag(said(name)) for name in FLAGS)
    return truncated, occluded, group_of, difficult


def flag(said: Any) -> bool | None:
    """Whether something is said to be so: 1 or 0, true or false; None for all else, which says nothing.

    >>> flag("1"), flag(1.0), flag(False), flag("Unspecified"), flag(-1), flag(None)
    (True, True, False, None, None, None)
    """
    return _SAID.get(str(said).strip().lower())


def box_of(wnid: str, corners: Sequence[str], remarks: list[str]) -> Box | None:
    """The box of these four coordinates, xmin ymin xmax ymax as text; None, and a remark, where they cannot be read.

    >>> told = []
    >>> box_of("n02084071", ["1", "45.7", "30", "60"], told), told
    (Box(wnid='n02084071', xmin=1, ymin=46, xmax=30, ymax=60, ...), ['boxes with fractions ... which were rounded'])
    """
    if not is_wnid(wnid):
        remarks.append(NO_WNID)
        return None
    fractions: list[str] = []
    try:
        box = Box(wnid, *(pixel(corner, fractions) for corner in corners))
    except ValueError:
        remarks.append(UNREAD)
        return None
    remarks.extend(fractions[:1])
    return unless_empty(box, remarks)


def unless_empty(box: Box, remarks: list[str]) -> Box | None:
    """The box; None, and a remark, where it ends before it begins."""
    if box.xmax < box.xmin or box.ymax < box.ymin:
        remarks.append(EMPTY)
        return None
    return box


def pixel(text: str, remarks: list[str]) -> int:
    """A coordinate as a whole number, halves up, with a remark where it was rounded; a ValueError if it is none.

    >>> pixel(" 12.0 ", []), pixel("-0.5", []), pixel("45.70000076293945", [])
    (12, 0, 46)
    """
    found = _PIXEL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a number of pixels")
    if not (found[2] or "").strip("0"):
        return int(found[1])
    remarks.append(ROUNDED)
    return math.floor(float(text) + 0.5)


def read_voc_archive(path: Path) -> Iterator[Annotation]:
    """The annotations in an official box archive (``.tar.gz``, ``.tgz``, ``.tar``; also tars inside), in order.

    Files that are no annotations are `remarks`. Raises `ArchiveError` as `read_members` does, and where there are no
    others.
    """
    members = read_members(path, (".xml",), LARGEST_XML)
    yield from _parsed(((f"{printable(path)}/{name}", data) for name, data in members), path)


def _parsed(files: Iterator[tuple[str, bytes]], path: Path) -> Iterator[Annotation]:
    """The annotations in files: one that is none is told as a remark. Raises `ArchiveError` where all are none."""
    sound = False
    problem = ArchiveError(f"{printable(path)} holds no annotations (.xml)")
    for number, (where, data) in enumerate(files):
        try:
            found, sound = parse_voc(data, where), True
        except ArchiveError as error:
            problem = problem if number else error
            found = Annotation(PurePosixPath(where).stem, 0, 0, (), (NO_ANNOTATION,))
        yield found
    if not sound:
        raise problem


def read_voc_folder(folder: Path) -> Iterator[Annotation]:
    """The annotations below a folder such as Kaggle's ``Annotations/CLS-LOC``, by path; links are not followed.

    Files that are no annotations are `remarks`. Raises `ArchiveError` where a file cannot be read, and where there are
    no others.
    """
    yield from _parsed(_voc_files(folder), folder)


def _voc_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    paths = _voc_paths(folder)
    remote = isinstance(folder, ObjectPath)
    try:
        yield from map_batches(_voc_file, paths, workers=_AT_ONCE, kind="threads") if remote else map(_voc_file, paths)
    except OSError as error:
        raise ArchiveError(f"cannot read {printable(error.filename or folder)}: {error.strerror}") from error


def _voc_paths(folder: Path) -> Iterator[Path]:
    for _, entry in entries(folder, ""):
        if not entry.name.isprintable():
            raise ArchiveError(f"{printable(folder)}: refused for the name {entry.name!r}")
        if entry.is_dir(follow_symlinks=False):
            yield from _voc_paths(folder / entry.name)
        elif entry.name.endswith(".xml") and entry.is_file(follow_symlinks=False):
            yield folder / entry.name


def _voc_file(path: Path) -> tuple[str, bytes]:
    with opened_file(path) as file:
        return printable(path), file.read(LARGEST_XML + 1)


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


def scaled(box: Box, width: int, height: int) -> Box:
    """The box in pixels of corners in millionths of an image of this size: the pixels that it touches.

    >>> scaled(Box("n02084071", 250_000, 0, 500_000, 1_000_000), 100, 80)
    Box(wnid='n02084071', xmin=25, ymin=0, xmax=49, ymax=79, truncated=None, ...)
    """
    first = box.xmin * width // 1_000_000, box.ymin * height // 1_000_000
    last = -(-box.xmax * width // 1_000_000) - 1, -(-box.ymax * height // 1_000_000) - 1
    return replace(box, xmin=first[0], ymin=first[1], xmax=last[0], ymax=last[1])
