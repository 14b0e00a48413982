"""An image as it is exported: its labels, boxes and bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from holotype.images.decode import EXTENSIONS, Rejected, decode
from holotype.images.discreet import discreet, is_discreet
from holotype.images.formats.magic import sniff
from holotype.images.variants import Stored
from holotype.releases.layout import FLAGS, UNSAID

_TOLD: Final = ("format", "mode", "width", "height", "orientation")


@dataclass(frozen=True, slots=True)
class Class:
    """A class of an export: its number, counted from 0 by wnid, and what its synset is called."""

    number: int
    wnid: str
    lemmas: Sequence[str]
    gloss: str

    @property
    def name(self) -> str:
        """Its first lemma, or its wnid where it has none."""
        return self.lemmas[0] if self.lemmas else self.wnid


@dataclass(frozen=True, slots=True)
class ExportedBox:
    """A box in inclusive pixels, the file that says so, and what else is said of it (`BOXES_EXTRAS`), which older
    releases do not tell."""

    wnid: str
    x_min: int
    y_min: int
    x_max: int
    y_max: int
    source: str
    by: str = ""
    support: float = UNSAID
    truncated: int = UNSAID
    occluded: int = UNSAID
    group_of: int = UNSAID
    difficult: int = UNSAID

    @property
    def flags(self) -> dict[str, bool]:
        """Those of the flags that somebody said, by name."""
        return {name: bool(said) for name in FLAGS if (said := getattr(self, name)) != UNSAID}


@dataclass(frozen=True, slots=True)
class ExportedMask:
    """A mask as ``masks.parquet`` has it (`holotype.releases.layout.MASKS_SCHEMA`)."""

    wnid: str
    width: int
    height: int
    counts: str
    area: int
    x_min: int
    y_min: int
    x_max: int
    y_max: int
    crowd: bool
    source: str


@dataclass(frozen=True, slots=True)
class Sample:
    """An image with its bytes: `rows` are its rows of the manifest that were chosen, one for each label, by rank.

    `boxes` and `masks` are in pixels of the picture turned upright, and so are `width` and `height`; 0 where they are
    unknown.
    """

    rows: Sequence[Mapping[str, Any]]
    boxes: Sequence[ExportedBox]
    data: bytes
    masks: Sequence[ExportedMask] = ()

    @property
    def id(self) -> str:
        """Its id: 16 hexadecimal digits, so it is safe in every file's name."""
        return str(self.rows[0]["id"])

    @property
    def split(self) -> str:
        """``train``, ``val`` or ``test``."""
        return str(self.rows[0]["split"])

    @property
    def wnids(self) -> list[str]:
        """Its labels, each once, by rank."""
        return [row["wnid"] for row in self.rows]

    @property
    def format(self) -> str:
        """Pillow's name for the format of its bytes, "" where that is not known."""
        return str(self.rows[0]["format"]) or sniff(self.data)

    @property
    def extension(self) -> str:
        """What the name of its file ends with, without a dot."""
        return EXTENSIONS.get(self.format, "bin")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, turned upright."""
        return self.rows[0]["width"], self.rows[0]["height"]

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height as stored, which is what programs that do not know EXIF see."""
        width, height = self.size
        return (height, width) if self.rows[0]["orientation"] >= 5 else (width, height)

    @property
    def masks_size(self) -> tuple[int, int]:
        """Width and height, turned upright, of the picture that has its masks."""
        return self.masks[0].width, self.masks[0].height

    @property
    def stored_boxes(self) -> list[ExportedBox]:
        """The boxes in pixels of the picture as stored, for programs that do not know EXIF."""
        return [_as_stored(box, self.rows[0]["orientation"], *self.size) for box in self.boxes]


def looked_at(sample: Sample) -> Sample:
    """The sample, and where its manifest does not know how large its picture is, what a look at its bytes tells.

    A picture that is not sound stays unknown.
    """
    if sample.rows[0]["width"] and sample.rows[0]["height"]:
        return sample
    try:
        seen = decode(sample.data)
    except Rejected:
        return sample
    told = {name: getattr(seen, name) for name in _TOLD}
    return replace(sample, rows=[{**row, **told} for row in sample.rows])


def made_discreet(sample: Sample) -> Sample:
    """The sample, with its picture as it may leave (`holotype.images.discreet`): in releases with shards it is so
    already, but for those that were made before that was seen to. A picture that is not sound stays as it is."""
    if is_discreet(sample.data):
        return sample
    try:
        seen = decode(sample.data)
        told: dict[str, Any] = {name: getattr(seen, name) for name in _TOLD}
        made = discreet(Stored(sample.data, EXTENSIONS[seen.format], sha256="", **told))
    except Rejected:
        return sample
    changed = {name: getattr(made, name) for name in ("format", "mode", "orientation")}
    return replace(sample, data=made.data, rows=[{**row, **changed} for row in sample.rows])


def _as_stored(box: ExportedBox, orientation: int, width: int, height: int) -> ExportedBox:
    """A box of a picture that was turned upright from an EXIF orientation, turned back."""
    left, top, right, bottom = box.x_min, box.y_min, box.x_max, box.y_max
    if orientation in (2, 3, 6, 7):
        left, right = width - 1 - right, width - 1 - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - 1 - bottom, height - 1 - top
    if orientation >= 5:
        left, top, right, bottom = top, left, bottom, right
    return replace(box, x_min=left, y_min=top, x_max=right, y_max=bottom)
