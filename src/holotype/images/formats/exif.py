"""The one thing we ask of EXIF, and say by it: which way up."""

from __future__ import annotations

import struct

_ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4


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


def only_orientation(found: int) -> bytes:
    """EXIF that says an orientation, 1 to 8, and nothing else."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, _SHORT, 1, found, 0, 0)
