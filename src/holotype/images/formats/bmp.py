"""BMP: its header, and whether all rows are there; rows of 4 and 8 bits are read here."""

from __future__ import annotations

import struct

import numpy as np

from holotype.images.formats.plain import Plain
from holotype.images.rejected import Rejected, check_size, truncated

_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_OS2 = 64
_DEPTHS = {0: (1, 4, 8, 16, 24, 32), 1: (8,), 2: (4,), 3: (16, 24, 32)}
_RAW, _RLE8, _RLE4, _BITFIELDS = range(4)
_END_OF_LINE, _END, _DELTA = range(3)
# Masks of red, green, blue and alpha whose pixels Pillow reads.
_MASKS = {
    16: ((0xF800, 0x7E0, 0x1F, 0), (0x7C00, 0x3E0, 0x1F, 0)),
    24: ((0xFF0000, 0xFF00, 0xFF, 0),),
    32: (
        (0xFF0000, 0xFF00, 0xFF, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0),
        (0xFF000000, 0xFF00, 0xFF, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
        (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
        (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
        (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
    ),
}


def plain(data: bytes, max_pixels: int) -> Plain:
    """The file, if its rows are all there; one of 4 or 8 bits with a header of its own before its rows, uncompressed.

    Raises `Rejected`.
    """
    header = _header(data)
    wide = 2 if header == 12 else 4
    width, height = _number(data, 18, wide), _number(data, 18 + wide, wide)
    bits = _number(data, 20 + 2 * wide, 2)
    compression = 0 if header == 12 else _number(data, 30, 4)
    upright = header != 12 and height >= 1 << 31  # the first row first
    height = (1 << 32) - height if upright else height
    check_size(width, height, max_pixels)
    if bits not in _DEPTHS.get(compression, ()) or (header == _OS2 and compression == _BITFIELDS):
        raise Rejected("unsupported", f"BMP of {bits} bits with compression {compression}")
    if compression == _BITFIELDS:
        _check_masks(data, header, bits)
    palette, start = _palette(data, header, bits)
    row = (width * bits + 31) // 32 * 4
    if start + (height * row if compression in (_RAW, _BITFIELDS) else 1) > len(data):
        raise truncated("its last row")
    if bits not in (4, 8):
        return Plain(data)
    if compression == _RAW:
        pixels = _unpacked(data[start : start + height * row], (width, height), bits)
    else:
        pixels = _unrolled(data, start, (width, height), compression == _RLE4)
    return Plain(_file(pixels, palette, upright))


def _header(data: bytes) -> int:
    """How long the header says it is, behind the first 14 bytes. Raises `Rejected`."""
    if len(data) < 18:
        raise truncated("its header")
    header = _number(data, 14, 4)
    if header not in _HEADERS:
        raise Rejected("unsupported", f"BMP with a header of {header} bytes")
    if len(data) < 14 + header:
        raise truncated("its header")
    return header


def _check_masks(data: bytes, header: int, bits: int) -> None:
    """Raises `Rejected` unless the bits of a pixel lie as Pillow knows them."""
    red, green, blue, alpha = (_number(data, 54 + at, 4) for at in (0, 4, 8, 12))
    masks = red, green, blue, alpha if header >= 56 and bits == 32 else 0
    if masks not in _MASKS[bits]:
        raise Rejected("unsupported", f"BMP whose pixels have the masks {', '.join(f'{mask:#x}' for mask in masks)}")


def _palette(data: bytes, header: int, bits: int) -> tuple[bytes, int]:
    """Colours of four bytes each, and where the rows begin; some files forget their palette when they tell that."""
    start = _number(data, 10, 4)
    if bits > 8:
        return b"", start
    size = 3 if header == 12 else 4
    colours = (_number(data, 46, 4) if header != 12 else 0) or 1 << bits
    first = 14 + header
    start = first + size * colours if start in (0, first) else start
    stored = data[first : max(first, min(first + size * min(colours, 1 << bits), start))]
    return b"".join(stored[at : at + 3] + b"\0" for at in range(0, len(stored) - size + 1, size)), start


def _unpacked(rows: bytes, size: tuple[int, int], bits: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Uncompressed rows to ``(height, width)`` numbers of colours, in the order of the file."""
    width, height = size
    stored = np.frombuffer(rows, np.uint8).reshape(height, -1)
    if bits == 4:
        stored = np.stack((stored >> 4, stored & 15), axis=2).reshape(height, -1)
    return stored[:, :width]


def _unrolled(
    data: bytes, position: int, size: tuple[int, int], four: bool
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """The same of run lengths; pixels that they leave out have the first colour, as in other decoders.

    Pillow does not read them right where the rows begin at an odd byte. Raises `Rejected`.
    """
    width, height = size
    pixels, x, y = bytearray(width * height), 0, 0
    while y < height and (x < width or y < height - 1):
        count, value = _two(data, position)
        position += 2
        if count == 0 and value == _END:
            break
        if count == 0 and value == _END_OF_LINE:
            x, y = 0, y + 1
        elif count == 0 and value == _DELTA:
            right, up = _two(data, position)
            x, y, position = x + right, y + up, position + 2
        else:
            run, position = _run(data, position, (count, value), four)
            run = run[: max(width - x, 0)]
            pixels[y * width + x : y * width + x + len(run)] = run
            x += len(run)
    return np.frombuffer(pixels, np.uint8).reshape(height, width)


def _two(data: bytes, position: int) -> tuple[int, int]:
    if position + 2 > len(data):
        raise truncated("its last row")
    return data[position], data[position + 1]


def _run(data: bytes, position: int, code: tuple[int, int], four: bool) -> tuple[bytes, int]:
    """The pixels of a run or, where its count is 0, of those that stand one by one, and what position follows them."""
    count, value = code
    length = 0 if count else (value + 1) // 2 if four else value
    stored = bytes((value,)) * count if count else data[position : position + length]
    if not count and len(stored) < length:
        raise truncated("its last row")
    if four:
        stored = bytes(pixel for pair in stored for pixel in (pair >> 4, pair & 15))
    return stored[: count or value], position + length + length % 2


def _file(pixels: np.ndarray[tuple[int, int], np.dtype[np.uint8]], palette: bytes, upright: bool) -> bytes:
    """A BMP of 8 bits with 256 colours: Pillow misreads others that have few of them, all grey."""
    height, width = pixels.shape
    rows = np.pad(pixels, ((0, 0), (0, -width % 4))).tobytes()
    start = 14 + 40 + 1024
    head = struct.pack("<IHHI", start + len(rows), 0, 0, start)
    told = struct.pack("<IiiHHIIiiII", 40, width, -height if upright else height, 1, 8, 0, len(rows), 0, 0, 256, 0)
    return b"".join((b"BM", head, told, palette.ljust(1024, b"\0"), rows))


def _number(data: bytes, position: int, size: int) -> int:
    return int.from_bytes(data[position : position + size], "little")
