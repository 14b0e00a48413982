"""JPEG 2000: boxes, the codestream's segments, and whether all tiles are there."""

from __future__ import annotations

import struct

from holotype.images.formats.boxes import boxes
from holotype.images.formats.plain import Plain
from holotype.images.rejected import MAX_PIXELS, Rejected, check_size, truncated

CODESTREAM = b"\xff\x4f\xff\x51"
BOXED = b"\0\0\0\x0cjP  \r\n\x87\n"
_SIZE, _TILE, _END = 0xFF51, 0xFF90, 0xFFD9
_COLOURS = (12, 16, 17, 18)  # CMYK, sRGB, grey, sYCC
_COLOUR, _OPACITY = 0, 1
_NEEDED = (b"jP  ", b"ftyp", b"jp2h")


def plain(data: bytes, max_pixels: int) -> Plain:
    """The codestream of a JPEG 2000 file with its header, without other boxes. Raises `Rejected`."""
    if data.startswith(CODESTREAM):
        depth, end = _codestream(data, 0, len(data), max_pixels)
        return Plain(data[:end], depth=depth, shifted=depth < 8)
    parts: list[bytes] = []
    for box in boxes(data, 0, len(data)):
        if box.kind == b"jp2c":
            depth, end = _codestream(data, box.start, min(box.end, len(data)), max_pixels)
            stream = data[box.start : end]
            whole = b"".join((*parts, (8 + len(stream)).to_bytes(4, "big"), b"jp2c", stream))
            return Plain(whole, depth=depth, shifted=depth < 8)
        if box.end > len(data):
            break
        if box.kind == b"jp2h":
            _check_colour(data, box.start, box.end)
        if box.kind in _NEEDED:
            parts.append(data[box.position : box.end])
    raise truncated("its pixels")


def stripped(data: bytes) -> bytes:
    """The same codestream with its header, without other boxes and what follows. Data are one that `plain` takes."""
    return plain(data, MAX_PIXELS).data


def _check_colour(data: bytes, start: int, end: int) -> None:
    for box in boxes(data, start, end):
        if box.kind == b"colr" and data[box.start] == 1:
            space = int.from_bytes(data[box.start + 3 : box.start + 7], "big")
            if space not in _COLOURS:
                raise Rejected("unsupported", f"JPEG 2000 in the colour space {space}")
        elif box.kind == b"cdef" and not _in_order(data[box.start + 2 : box.end]):
            raise Rejected("unsupported", "JPEG 2000 whose channels lie in an order of its own")
        elif box.kind == b"cmap" and not _straight(data[box.start : box.end]):
            raise Rejected("unsupported", "JPEG 2000 with a palette in an order of its own")


def _in_order(definitions: bytes) -> bool:
    """Whether channels are the colours one after the other, and then opacity if there is any: Pillow reads no others
    right. Each is told in six bytes: its number, what it is, and of what."""
    told = sorted(struct.iter_unpack(">HHH", definitions[: len(definitions) // 6 * 6]))
    colours = [(number, _COLOUR, number + 1) for number in range(len(told))]
    return told in (colours, [*colours[:-1], (len(told) - 1, _OPACITY, 0)])


def _straight(mapping: bytes) -> bool:
    """Whether the columns of a palette are the channels, one after the other."""
    told = list(struct.iter_unpack(">HBB", mapping[: len(mapping) // 4 * 4]))
    return told == [(0, 1, column) for column in range(len(told))]


def _codestream(data: bytes, start: int, end: int, max_pixels: int) -> tuple[int, int]:
    """The bits of its samples, and where it ends."""
    if data[start : start + 4] != CODESTREAM:
        raise Rejected("damaged", "no JPEG 2000 codestream where one belongs")
    depth = _depth(data, start + 4, max_pixels)
    position = start + 2
    while position + 4 <= end:
        marker, length = (int.from_bytes(data[at : at + 2], "big") for at in (position, position + 2))
        if marker == _TILE:
            size = int.from_bytes(data[position + 6 : position + 10], "big")
            if size == 0:  # the last tile, until the end
                cut = data.rfind(b"\xff\xd9", position, end)
                if cut < 0:
                    break
                return depth, cut + 2
            length = size - 2
        if marker == _END or length < 2:
            break
        position += 2 + length
    if data[position : position + 2] != b"\xff\xd9" or position + 2 > end:
        raise (
            truncated("its last tile")
            if position + 2 > end
            else Rejected("damaged", "a tile that is not where it belongs")
        )
    return depth, position + 2


def _depth(data: bytes, position: int, max_pixels: int) -> int:
    """The bits of every sample, told by the SIZ segment at `position`."""
    if position + 38 > len(data):
        raise truncated("its header")
    right, bottom, left, top = (int.from_bytes(data[position + at : position + at + 4], "big") for at in (4, 8, 12, 16))
    components = int.from_bytes(data[position + 36 : position + 38], "big")
    check_size(right - left, bottom - top, max_pixels)
    told = data[position + 38 : position + 38 + 3 * components]
    if len(told) < 3 * components:
        raise truncated("its header")
    kinds = set(told[::3])
    if components not in range(1, 5) or len(kinds) != 1:
        raise Rejected("unsupported", "JPEG 2000 of other than one to four components of equal depth")
    (kind,) = kinds
    if kind & 0x80 or kind > 15:
        raise Rejected("unsupported", f"JPEG 2000 with {'signed' if kind & 0x80 else f'{kind + 1}-bit'} samples")
    if len({told[at : at + 1] for at in range(1, len(told), 3)}) != 1 and components != 3:
        raise Rejected("unsupported", "JPEG 2000 whose components are sampled differently")
    return kind + 1
