"""What is wrong with images and their labels: the blemishes of ImageNet that are known, and rules that find others."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final, NamedTuple

from holotype.errors import ArchiveError
from holotype.imports.boxes import Box, check_box
from holotype.ontology import is_wnid

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "box_empty": "a box ends before it begins",
        "box_foreign_class": "a box is of another class than its image",
        "box_outside": "a box reaches beyond its image",
        "cmyk": "the image has four inks; decoders differ in the colours they make of them",
        "cross_class_duplicate": "images of different classes have the same bytes",
        "duplicate_bytes": "several images have the same bytes",
        "duplicate_class_name": "classes have the same first lemma: tell them apart by wnid",
        "format_differs": "the bytes are of another format than the file's name says",
        "not_imageable": "people find it hard to picture this synset",
        "not_sound": "the bytes are no sound image",
        "png_named_jpeg": "known to be a PNG in a file named .JPEG",
        "shared_lemma": "classes have a lemma in common: tell them apart by wnid",
        "size_disagrees": "the annotation gives another size than the image has",
        "split_leak": "an image of the validation or test split is in the training split too",
        "turned_with_boxes": "the image is stored turned (EXIF): its boxes may be in stored or in upright pixels",
        "unknown_wnid": "the label is no synset of the project's ontology",
        "unlabelled": "an image for training or validation has no label",
        "unsafe": "the synset is on a list of offensive ones",
    }
)
"""Every code with its message."""

IMAGEABLE: Final = 4.0
"""The mean rating, of 1 to 5, from which a synset counts as imageable (Yang et al., FAT* 2020, section 4)."""

_SHOWN = 5
_FORMATS = MappingProxyType(
    {
        ".bmp": "BMP",
        ".gif": "GIF",
        ".jpeg": "JPEG",
        ".jpg": "JPEG",
        ".png": "PNG",
        ".tif": "TIFF",
        ".tiff": "TIFF",
        ".webp": "WEBP",
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A blemish: its code, the image or synset it is of, that image's label ("" if it has none), and details."""

    code: str
    name: str
    wnid: str
    detail: str


class Labelled(NamedTuple):
    """An image, its split and its label ("" if it has none)."""

    name: str
    split: str
    wnid: str


class Stored(NamedTuple):
    """An image, its split, its label and the sha256 of its bytes."""

    name: str
    split: str
    wnid: str
    sha256: str


class Boxed(NamedTuple):
    """One box of an image, with the image's label and its size in pixels (0 where unknown)."""

    name: str
    wnid: str
    width: int
    height: int
    box: Box


class Looked(NamedTuple):
    """What a fingerprint says of an image, the path it was read from, and the size its annotation gives (or 0).

    `reason` and `detail` say why the bytes are no sound image; `reason` is "" where they are one.
    """

    name: str
    wnid: str
    path: str
    format: str
    mode: str
    width: int
    height: int
    reason: str
    detail: str
    said_width: int
    said_height: int


class Turned(NamedTuple):
    """An image with boxes that is stored turned: its upright size, the EXIF orientation in words, and its annotation's
    size (or 0)."""

    name: str
    wnid: str
    width: int
    height: int
    orientation: str
    said_width: int
    said_height: int
    boxes: int


class Marked(NamedTuple):
    """What a list says of a synset: ``unsafe``, or ``imageability`` with a rating."""

    wnid: str
    mark: str
    value: str


@cache
def known_blemishes() -> tuple[tuple[Finding, str], ...]:
    """The known blemishes of ILSVRC2012, each with its source; those of classes are named by wnid."""
    text = resources.files(__package__).joinpath("blemishes.csv").read_text("utf-8")
    return tuple(
        (Finding(row["code"], row["name"], _label(row["name"]), row["detail"]), row["source"])
        for row in csv.DictReader(text.splitlines())
    )


def _label(name: str) -> str:
    wnid = name.partition("_")[0]
    return wnid if is_wnid(wnid) else ""


def known(names: Container[str], wnids: Container[str]) -> Iterator[Finding]:
    """The known blemishes among the images `names` (without extension) and the classes `wnids`.

    Two classes of one name are found only where both are there.
    """
    for finding, _ in known_blemishes():
        concerned = re.findall(r"n[0-9]{8}", finding.detail) if is_wnid(finding.name) else []
        if finding.name in (wnids if concerned else names) and all(wnid in wnids for wnid in concerned):
            yield finding


def labels(rows: Iterable[Labelled], synsets: Container[str]) -> Iterator[Finding]:
    """Images without a label, but for those of the test split, and labels that are not among `synsets`."""
    for name, split, wnid in rows:
        if not wnid and split != "test":
            yield Finding("unlabelled", name, wnid, split)
        elif wnid and wnid not in synsets:
            yield Finding("unknown_wnid", name, wnid, wnid)


def duplicates(rows: Iterable[Stored]) -> Iterator[Finding]:
    """Images with the same bytes, from rows sorted by sha256: one finding for a group, two where it leaks across splits
    and classes.

    It is named by the first image that is not for training, or else by the first.
    """
    for _, group in groupby(rows, lambda row: row.sha256):
        images = sorted(group, key=lambda row: (row.split == "train", row.name))
        if len(images) > 1:
            for code in _codes(images):
                yield Finding(code, images[0].name, images[0].wnid, _same_as(images[1:]))


def _codes(images: Sequence[Stored]) -> Sequence[str]:
    leaks = len({image.split == "train" for image in images}) > 1
    classes = {image.wnid for image in images if image.wnid}
    found = ["split_leak"] * leaks + ["cross_class_duplicate"] * (len(classes) > 1)
    return found or ["duplicate_bytes"]


def _same_as(images: Collection[Stored]) -> str:
    shown = [" ".join(filter(None, (image.name, image.split, image.wnid))) for image in images][:_SHOWN]
    return "same bytes as " + ", ".join(shown) + (f" and {len(images) - _SHOWN} more" if len(images) > _SHOWN else "")


def boxes(rows: Iterable[Boxed]) -> Iterator[Finding]:
    """Boxes that are empty, that reach beyond their image, or that are of another class than it."""
    for name, wnid, width, height, box in rows:
        where = f"{box.wnid} {box.xmin} {box.ymin} {box.xmax} {box.ymax}"
        if code := check_box(box, width, height):
            yield Finding(code, name, wnid, f"{where} in {width} x {height}" if width and height else where)
        if wnid and box.wnid != wnid:
            yield Finding("box_foreign_class", name, wnid, where)


def fingerprints(rows: Iterable[Looked]) -> Iterator[Finding]:
    """Bytes that are no sound image, or are not what name or annotation say, and images of four inks."""
    for row in rows:
        if row.reason:
            yield Finding("not_sound", row.name, row.wnid, f"{row.reason}: {row.detail}")
            continue
        suffix = PurePosixPath(row.path).suffix
        if _FORMATS.get(suffix.lower(), row.format) != row.format:
            yield Finding("format_differs", row.name, row.wnid, f"{row.format} in a file named {suffix}")
        if row.mode == "CMYK":
            yield Finding("cmyk", row.name, row.wnid, f"a {row.format} of four inks")
        if row.said_width and row.said_height and (row.said_width, row.said_height) != (row.width, row.height):
            said = f"{row.said_width} x {row.said_height} in the annotation"
            yield Finding("size_disagrees", row.name, row.wnid, f"{row.width} x {row.height}, but {said}")


def turned(rows: Iterable[Turned]) -> Iterator[Finding]:
    """Images whose boxes may be in other pixels than they are shown in, with what the annotation's size tells."""
    for row in rows:
        said, upright = (row.said_width, row.said_height), (row.width, row.height)
        frame = ""
        if said != upright[::-1] and said == upright:
            frame = "; the annotation has the upright size"
        elif said == upright[::-1] and said != upright:
            frame = "; the annotation has the stored size"
        detail = f"{row.orientation}, upright {row.width} x {row.height}, {row.boxes:,} boxes{frame}"
        yield Finding("turned_with_boxes", row.name, row.wnid, detail)


def marked(rows: Iterable[Marked], images: Mapping[str, int]) -> Iterator[Finding]:
    """Synsets with images (`images`: their number by wnid) that a list calls unsafe or hardly imageable.

    Raises `ArchiveError` where an imageability is no number from 1 to 5.
    """
    for wnid, mark, value in rows:
        if not images.get(wnid):
            continue
        if mark == "unsafe":
            yield Finding("unsafe", wnid, wnid, f"{images[wnid]:,} images")
        elif mark == "imageability" and (rated := rating(wnid, value)) < IMAGEABLE:
            yield Finding("not_imageable", wnid, wnid, f"rated {rated:g}, {images[wnid]:,} images")


def rating(wnid: str, value: str) -> float:
    """The mean rating of how imageable a synset is, 1 to 5. Raises `ArchiveError` for anything else.

    >>> rating("n02084071", "4.25")
    4.25
    """
    if not re.fullmatch(r"[1-5](\.[0-9]{1,20})?", value) or float(value) > 5:
        raise ArchiveError(f"the imageability of {wnid} is {value[:40]!r}, not a number from 1 to 5")
    return float(value)
