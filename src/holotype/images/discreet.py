"""What files say beside their pixels of people, places and devices, and the same pictures without it."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from holotype.images.formats import gif, heif, jpeg, jpeg2000, png, tiff, webp
from holotype.images.formats.magic import sniff
from holotype.images.rejected import Rejected
from holotype.images.variants import Stored, as_png, bare

_BROKEN: Final = (Rejected, IndexError, struct.error)
"""What is raised on files that end before they say they do."""
_PPM_COMMENT: Final = re.compile(rb"P[1-7](\s+\d+)*\s*#")
_STRIPPED: Final[Mapping[str, Callable[[bytes], bytes | None]]] = MappingProxyType(
    {
        "WEBP": webp.stripped,
        "GIF": gif.stripped,
        "JPEG2000": jpeg2000.stripped,
        "HEIF": heif.stripped,
        "AVIF": heif.stripped,
    }
)


def is_discreet(data: bytes) -> bool:
    """Whether a picture may leave as it is: its file says nothing of who took it, where and with what, and holds
    no words and no other picture. False for bytes that are no picture.

    What is known to be harmless is let pass: what pixels and their colours need, resolution, date, the program that
    wrote it. All else is taken for what it might be: places, owners' names and serial numbers are in EXIF, in XMP, in
    IPTC, in notes of cameras' makers and in comments, and thumbnails show what was cut off.
    """
    kind = sniff(data)
    try:
        if kind == "JPEG":
            return jpeg.is_discreet(data)
        if kind == "PNG":
            return png.is_discreet(data)
        if kind == "TIFF":
            return tiff.is_discreet(data)
        if kind == "PPM":
            return _PPM_COMMENT.match(data) is None
        return kind == "BMP" or (kind in _STRIPPED and _STRIPPED[kind](data) == data)
    except _BROKEN:
        return False


def discreet(picture: Stored) -> Stored:
    """A sound picture as it may leave: the very same, where its file is discreet.

    Otherwise nothing is left beside the pixels but an orientation and a colour profile. Coded pixels stay bit for bit
    in JPEG, PNG, WebP, GIF, JPEG 2000, HEIC and AVIF. Where that cannot be done, and of TIFF and PPM, the upright
    pixels that `decode` makes are stored as PNG.

    Raises `Rejected` as `decode` does where a picture is not sound.
    """
    if is_discreet(picture.data):
        return picture
    try:
        found = _stripped(picture)
    except _BROKEN:
        found = None
    if found is None:
        return as_png(picture.data)
    return replace(picture, data=found, sha256=hashlib.sha256(found).hexdigest())


def _stripped(picture: Stored) -> bytes | None:
    kind = sniff(picture.data)
    if kind in _STRIPPED:
        return _STRIPPED[kind](picture.data)
    return bare(picture.data, kind, picture.mode, picture.orientation)
