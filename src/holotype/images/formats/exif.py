"""The one thing we ask of EXIF, and say by it, is which way up; and whether it says more than programs need."""

from __future__ import annotations

import struct

_ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_DIRECTORY, _INTEROPERABILITY = 0x8769, 0xA005
# How pixels are to be read, and when: sizes, samples, compression, orientation, resolution, software, date, colours.
_TECHNICAL = frozenset(
    (
        *(0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0112, 0x0115, 0x011A, 0x011B, 0x011C, 0x0128, 0x012D, 0x0131),
        *(0x0132, 0x013E, 0x013F, 0x0211, 0x0212, 0x0213, 0x0214, 0x9000, 0x9003, 0x9004, 0x9101, 0x9102),
        *(0xA000, 0xA001, 0xA002, 0xA003, 0x0001, 0x0002, 0x1001, 0x1002),
    )
)
_TEXTS = frozenset(
    (0x010E, 0x013B, 0x8298, 0x9286)
)  # description, artist, copyright, comment: cameras leave them blank
_BLANK = b" \0"


def orientation(exif: bytes) -> int:
    """The EXIF orientation, 1 to 8; 0 where none is told, or the metadata around sound pixels are broken.

    `exif` is a TIFF header with its first directory, with or without ``Exif\\0\\0`` before it.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 0
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(order + "HH", exif, entry)
            if tag == _ORIENTATION and kind in (_SHORT, _LONG):
                (found,) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), exif, entry + 8)
                if found in range(1, 9):
                    return int(found)
    except struct.error:  # it ends before it says it does
        pass
    return 0


def is_technical(exif: bytes) -> bool:
    """Whether EXIF says nothing but how pixels are to be read, and when they were written: no place, no owner, no
    device, no thumbnail, no words; and all of it can be followed."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return False
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        return _is_technical(exif, order, start, 2)
    except (struct.error, KeyError):  # it ends before it says it does, or has values of no known type
        return False


def _is_technical(exif: bytes, order: str, start: int, deeper: int) -> bool:
    """Whether a directory is, with up to so many `deeper` levels of others that it points to."""
    (count,) = struct.unpack_from(order + "H", exif, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", exif, entry)
        (pointed,) = struct.unpack_from(order + "I", exif, entry + 8)
        if tag in (_DIRECTORY, _INTEROPERABILITY):
            if not deeper or not _is_technical(exif, order, pointed, deeper - 1):
                return False
        elif tag in _TEXTS:
            size = _SIZES[kind] * number
            at = pointed if size > 4 else entry + 8
            if exif[at : at + size].removeprefix(b"ASCII").strip(_BLANK):
                return False
        elif tag not in _TECHNICAL:
            return False
    (following,) = struct.unpack_from(order + "I", exif, start + 2 + 12 * count)
    return bool(following == 0)  # else a thumbnail follows


def only_orientation(found: int) -> bytes:
    """EXIF that says an orientation, 1 to 8, and nothing else."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, _SHORT, 1, found, 0, 0)
