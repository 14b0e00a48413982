"""What a file is, by its first bytes. Names of files and what libraries say of them do not count."""

from __future__ import annotations

from typing import Final

from holotype.images.formats import heif, jpeg2000, netpbm, png, tiff

EXTENSIONS: Final = {
    "JPEG": "jpg",
    "PNG": "png",
    "GIF": "gif",
    "WEBP": "webp",
    "BMP": "bmp",
    "TIFF": "tif",
    "PPM": "ppm",
    "AVIF": "avif",
    "HEIF": "heic",
    "JPEG2000": "jp2",
}
"""Every format that is read, by Pillow's name for it, with the extension it is kept under."""

_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    png.SIGNATURE: "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    jpeg2000.BOXED: "JPEG2000",
    jpeg2000.CODESTREAM: "JPEG2000",
    **dict.fromkeys(tiff.MAGICS, "TIFF"),
}


def sniff(data: bytes) -> str:
    """The format of encoded bytes, a key of `EXTENSIONS`, or "" where it is none of them."""
    found = next((name for start, name in _STARTS.items() if data.startswith(start)), "")
    if found == "BMP" and not _is_bitmap(data):
        return ""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if netpbm.MAGIC.match(data) or netpbm.FLOATING.match(data):
        return "PPM"
    return found or heif.family(data)


def _is_bitmap(data: bytes) -> bool:
    """Whether what begins with BM is more than two letters: reserved bytes, and a header of a plausible size."""
    return len(data) < 18 or int.from_bytes(data[14:18], "little") in range(12, 256)
