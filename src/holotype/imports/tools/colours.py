"""What the numbers and colours of label maps mean: ``labelmap.txt`` of CVAT and Datumaro, and the classes of VOC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.textlists import read_lines

BACKGROUND: Final = "background"
_MOST: Final = 65_536
_VOC: Final = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


@dataclass(frozen=True, slots=True)
class LabelMap:
    """What numbers are called, and the numbers of colours, each red, green and blue in one number, red highest."""

    names: Mapping[int, str]
    colours: Mapping[int, int]


def voc_labels() -> LabelMap:
    """The twenty classes of PASCAL VOC, numbered from 1 by name, and their colours."""
    return _numbered([BACKGROUND, *_VOC])


def voc_colour(number: int) -> tuple[int, int, int]:
    """Red, green and blue of a number in VOC's palette: its bits, dealt to the three from the highest bit on.

    >>> voc_colour(1), voc_colour(15), voc_colour(255)
    ((128, 0, 0), (192, 128, 128), (224, 224, 192))
    """
    found = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            found[channel] |= (number >> (3 * place + channel) & 1) << (7 - place)
    return found[0], found[1], found[2]


def read_labelmap(path: Path) -> LabelMap:
    """What a ``labelmap.txt`` says, whose lines are ``label:red,green,blue:parts:actions``: a label has the number of
    its line, comments not counted, and the colour, which is VOC's of that number where none is told.

    Raises `ArchiveError` for what is no such file.
    """
    names: dict[int, str] = {}
    colours: dict[int, int] = {}
    for at, line in enumerate(read_lines(path, ArchiveError), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.rstrip("\n").partition(":")
        number = len(names)
        if number >= _MOST or not name.strip():
            raise ArchiveError(f"{printable(path)}, line {at}: label:red,green,blue:parts:actions was expected")
        names[number] = name.strip()
        told = rest.partition(":")[0].strip()
        colours[packed(_colour(told, path, at) if told else voc_colour(number))] = number
    return LabelMap(names, colours)


def _colour(text: str, path: Path, at: int) -> tuple[int, int, int]:
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() and int(part) < 256 for part in parts):
        raise ArchiveError(f"{printable(path)}, line {at}: {text[:40]!r} is no colour red,green,blue of 0 to 255")
    red, green, blue = (int(part) for part in parts)
    return red, green, blue


def _numbered(names: list[str]) -> LabelMap:
    return LabelMap(dict(enumerate(names)), {packed(voc_colour(number)): number for number in range(len(names))})


def packed(colour: tuple[int, int, int]) -> int:
    return (colour[0] << 16) | (colour[1] << 8) | colour[2]
