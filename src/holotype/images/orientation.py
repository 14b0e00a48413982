"""How an image is stored turned: the orientation that its EXIF metadata state. Only metadata are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_TAG: Final = 0x0112
_KINDS: Final = {3: 2, 4: 4}
"""The types an orientation may have, SHORT and LONG, and their bytes."""
_ENTRIES: Final = 1_000


def orientation_of(data: bytes) -> int:
    """The EXIF orientation of an encoded JPEG, PNG, WebP or TIFF, 1 to 8; 1 where none is stated.

    >>> orientation_of(b"no image")
    1
    """
    return next((found for found in map(_stated, _exif(data)) if found), 1)


def _exif(data: bytes) -> Iterator[bytes]:
    """What may be EXIF metadata, each a small TIFF."""
    if data.startswith(b"\xff\xd8"):
        yield from _of_jpeg(data)
    elif data.startswith(b"\x89PNG"):
        yield from _chunks(data, 8, b"eXIf", "big")
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        yield from (found.removeprefix(b"Exif\0\0") for found in _chunks(data, 12, b"EXIF", "little"))
    elif data[:4] in (b"II*\0", b"MM\0*"):
        yield data


def _of_jpeg(data: bytes) -> Iterator[bytes]:
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in (0xD9, 0xDA):
            return
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == 0xE1 and data[position + 4 : position + 10] == b"Exif\0\0":
            yield data[position + 10 : end]
        position = end


def _chunks(data: bytes, start: int, name: bytes, order: str) -> Iterator[bytes]:
    """The chunks of a name in a PNG (length, name, data, checksum) or a RIFF (name, length, data, padding)."""
    position = start
    while position + 8 <= len(data):
        first, second = data[position : position + 4], data[position + 4 : position + 8]
        kind, length = (
            (second, int.from_bytes(first, "big")) if order == "big" else (first, int.from_bytes(second, "little"))
        )
        if kind == name:
            yield data[position + 8 : position + 8 + length]
        position += 12 + length if order == "big" else 8 + length + length % 2


def _stated(tiff: bytes) -> int:
    """The orientation in the first directory of a TIFF; 0 where there is none that makes sense."""
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(tiff[:4])
    if order is None:
        return 0

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if order == "little" else "big")

    start = number(4, 4)
    for entry in range(min(number(start, 2), _ENTRIES)):
        at = start + 2 + 12 * entry
        if number(at, 2) == _TAG and number(at + 4, 4) == 1:
            found = number(at + 8, _KINDS.get(number(at + 2, 2), 0))
            return found if 1 <= found <= 8 else 0
    return 0
