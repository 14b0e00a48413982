"""BMP: its header, and whether all rows are there."""

from __future__ import annotations

from holotype.images.formats.plain import Plain
from holotype.images.rejected import Rejected, check_size, truncated

_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_DEPTHS = (1, 4, 8, 16, 24, 32)
_RAW, _RLE8, _RLE4, _BITFIELDS = range(4)


def plain(data: bytes, max_pixels: int) -> Plain:
    """The whole file, if its rows are all there. Raises `Rejected`."""
    if len(data) < 18:
        raise truncated("its header")
    header = _number(data, 14, 4)
    if header not in _HEADERS:
        raise Rejected("unsupported", f"BMP with a header of {header} bytes")
    if len(data) < 14 + header:
        raise truncated("its header")
    wide = 2 if header == 12 else 4
    width, height = _number(data, 18, wide), _number(data, 18 + wide, wide)
    bits = _number(data, 20 + 2 * wide, 2)
    compression = 0 if header == 12 else _number(data, 30, 4)
    if header != 12 and height >= 1 << 31:
        height = (1 << 32) - height  # the first row first
    check_size(width, height, max_pixels)
    if compression not in (_RAW, _RLE8, _RLE4, _BITFIELDS) or bits not in _DEPTHS:
        raise Rejected("unsupported", f"BMP of {bits} bits with compression {compression}")
    rows = height * ((width * bits + 31) // 32 * 4) if compression in (_RAW, _BITFIELDS) else 1
    if _number(data, 10, 4) + rows > len(data):
        raise truncated("its last row")
    return Plain(data)


def _number(data: bytes, position: int, size: int) -> int:
    return int.from_bytes(data[position : position + size], "little")
